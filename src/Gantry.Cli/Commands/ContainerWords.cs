using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Engine.Bundles;

namespace Gantry.Cli.Commands;

/// <summary>What <c>run</c> and <c>bundle</c> both let one say about a container.</summary>
internal sealed class ContainerWords
{
    public Option<string[]> Environment { get; } = new("--env", "-e")
    {
        Description = "Environment variable. NAME alone: as it is here. May be given several times.", HelpName = "NAME=VALUE", AllowMultipleArgumentsPerToken = false,
    };

    public Option<string[]> EnvironmentFiles { get; } = new("--env-file")
    {
        Description = "File with a variable a line, as for --env, which comes after it; # begins a comment. May be given several times.", HelpName = "FILE",
    };

    public Option<string[]> Volumes { get; } = new("--volume", "-v")
    {
        Description = "Show SOURCE of this machine (/... or ./...) at TARGET, which is absolute; ro: to be read only. May be given several times.", HelpName = "SOURCE:TARGET[:ro]",
    };

    public Option<string?> WorkingDirectory { get; } = new("--workdir", "-w") { Description = "Folder to start in, in the container.", HelpName = "DIR" };

    public Option<string?> User { get; } = new("--user", "-u") { Description = "Who to be: names of the image's passwd and group, or numbers.", HelpName = "USER[:GROUP]" };

    public Option<BundleNetwork> Network { get; } = new("--network", "--net")
    {
        Description = "none: a loopback device alone. host: this machine's network.", HelpName = "none|host", DefaultValueFactory = _ => BundleNetwork.None,
    };

    public Option<string?> Entrypoint { get; } = new("--entrypoint") { Description = "Program instead of the image's entrypoint; its command is dropped too. \"\": none.", HelpName = "PROGRAM" };

    public Option<string?> HostName { get; } = new("--hostname") { Description = "The container's host name. Default: its name.", HelpName = "NAME" };

    public Option<bool> ReadOnly { get; } = new("--read-only") { Description = "The root filesystem cannot be written." };

    public Option<bool> NewPrivileges { get; } = new("--allow-new-privileges") { Description = "Let set-uid programs (su, sudo) work." };

    public Option<BundleLabels> Labels { get; } = new("--labels")
    {
        Description = "Labels of the image that become annotations: safe (all but those a runtime takes for orders), all or none.", HelpName = "safe|all|none",
        DefaultValueFactory = _ => BundleLabels.Safe,
    };

    public IEnumerable<Option> All =>
        [Environment, EnvironmentFiles, Volumes, WorkingDirectory, User, Network, Entrypoint, HostName, ReadOnly, NewPrivileges, Labels];

    public BundleOptions Read(ParseResult parsed) => new()
    {
        Environment = [.. (parsed.GetValue(EnvironmentFiles) ?? []).SelectMany(Lines).Concat(parsed.GetValue(Environment) ?? []).Select(Variable).OfType<string>()],
        Volumes = [.. (parsed.GetValue(Volumes) ?? []).Select(Volume)],
        WorkingDirectory = parsed.GetValue(WorkingDirectory),
        User = parsed.GetValue(User),
        Network = parsed.GetValue(Network),
        Entrypoint = parsed.GetValue(Entrypoint),
        HostName = parsed.GetValue(HostName),
        ReadOnly = parsed.GetValue(ReadOnly),
        NewPrivileges = parsed.GetValue(NewPrivileges),
        Labels = parsed.GetValue(Labels),
        Rootless = ImageBundle.RootlessOwner(),
    };

    private static IEnumerable<string> Lines(string path)
    {
        try
        {
            return [.. File.ReadLines(path).Select(line => line.TrimStart()).Where(line => line.Length > 0 && line[0] != '#')];
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new EngineException(EngineFault.NotFound, $"there is no {Shown.Text(path)} with variables", fault);
        }
    }

    /// <summary>Null for a variable that is not set here: then the container has none either.</summary>
    private static string? Variable(string word)
    {
        var equals = word.IndexOf('=', StringComparison.Ordinal);
        if (equals == 0 || word.Length == 0) throw new EngineException(EngineFault.Usage, $"'{Shown.Text(word)}' is not NAME=VALUE");
        return equals > 0 ? word : System.Environment.GetEnvironmentVariable(word) is { } value ? $"{word}={value}" : null;
    }

    private static BundleVolume Volume(string word)
    {
        var parts = word.Split(':');
        var isReadOnly = parts is [_, _, "ro"];
        if (parts.Length is < 2 or > 3 || (parts is [_, _, var mode] && mode is not ("ro" or "rw")) || !parts[1].StartsWith('/') || parts[0].Length == 0)
            throw new EngineException(EngineFault.Usage, $"'{Shown.Text(word)}' is not SOURCE:TARGET[:ro] with an absolute TARGET");
        var source = Path.GetFullPath(parts[0]);
        if (!parts[0].StartsWith('/') && !parts[0].StartsWith('.'))
            throw new EngineException(EngineFault.Usage, $"'{Shown.Text(parts[0])}' is not a path: there are no named volumes, write ./{Shown.Text(parts[0])} or /...");
        if (!Path.Exists(source)) throw new EngineException(EngineFault.NotFound, $"there is no {Shown.Text(source)} to be shown in the container");
        return new BundleVolume(source, parts[1], isReadOnly);
    }
}
