using System.Formats.Tar;
using Gantry.Cli.Tests.Kit;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.Cli.Tests;

/// <summary>
/// The same image in docker and in gantry: archives go both ways, and what both print of it is the same. Needs root, docker and dockerd.
/// </summary>
[Trait("Speed", "Slow")]
[Collection(ContainersCollection.Name)]
public sealed class DockerTests(Bench bench) : IAsyncLifetime
{
    // What docker puts into every container that it makes.
    private static readonly string[] OfTheContainer =
        [".dockerenv", "dev/", "dev/console", "dev/pts/", "dev/shm/", "etc/", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf", "proc/", "sys/"];

    private readonly GantryRuns _gantry = new(bench);
    private Daemon _daemon = null!;
    private Command _docker = null!;

    public async ValueTask InitializeAsync()
    {
        var folder = Directory.CreateDirectory(_gantry.Path("d")).FullName;
        await File.WriteAllTextAsync($"{folder}/daemon.json", "{}");
        _daemon = Daemon.Start(new Command("dockerd"), $"{folder}/log", "--data-root", $"{folder}/data", "--exec-root", $"{folder}/exec", "-p", $"{folder}/pid", "-H", $"unix://{folder}/s",
            "--config-file", $"{folder}/daemon.json", "--bridge", "none", "--iptables=false", "--ip6tables=false");
        _docker = new Command("docker") { Environment = { ["DOCKER_HOST"] = $"unix://{folder}/s", ["DOCKER_CONFIG"] = folder } };
        await _daemon.UntilAsync(async () => (await _docker.TryAsync("version")).ExitCode == 0, TimeSpan.FromSeconds(60));
        await _gantry.HavePulledAsync();
    }

    [Fact]
    public async Task Docker_WithTheSameImage_ShowsAndHoldsTheSame()
    {
        // 1. Both archives of ours, and theirs.
        foreach (var format in (string[])["oci-archive", "docker-archive"])
        {
            await _gantry.GoodAsync("save", "--format", format, "-o", _gantry.Path("ours.tar"), bench.Box);
            Assert.Equal($"Loaded image: {bench.Box}", (await _docker.RunAsync("load", "-i", _gantry.Path("ours.tar"))).Output.Trim());
            Assert.Equal("default\n", (await _docker.RunAsync("run", "--rm", "--network", "none", bench.Box)).Output);
            if (format == "oci-archive") await _docker.RunAsync("rmi", bench.Box);
        }

        await _docker.RunAsync("save", "-o", _gantry.Path("theirs.tar"), bench.Box);
        Assert.Equal($"Loaded image: {bench.Box}\n", (await _gantry.GoodAsync("--root", _gantry.Path("other"), "load", _gantry.Path("theirs.tar"))).Output);
        Assert.Equal("default\n", (await _gantry.GoodAsync("--root", _gantry.Path("other"), "run", "--rm", "--pull", "never", bench.Box)).Output);

        // 2. The lists, whatever way each cuts what is too long for a column.
        Assert.Equal(Words(await _docker.RunAsync("images")), Words(await _gantry.GoodAsync("images")));
        Assert.Equal(Words(await _docker.RunAsync("history", bench.Box))[0], Words(await _gantry.GoodAsync("history", bench.Box))[0]);
        Assert.Equal((await _docker.RunAsync("history", "--format", "{{.ID}} {{.CreatedSince}} {{.Size}} {{.Comment}}", bench.Box)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd()),
            (await _gantry.GoodAsync("history", bench.Box)).Lines.Skip(1).Select(line => line.Split("   ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                .Select(cells => string.Join(' ', cells.Where((_, column) => column != 2))));

        // 3. The files.
        var container = (await _docker.RunAsync("create", "--network", "none", bench.Box)).Output.Trim();
        await _docker.RunAsync("export", "-o", _gantry.Path("theirs-export.tar"), container);
        await _docker.RunAsync("rm", container);
        await _gantry.GoodAsync("export", "-o", _gantry.Path("ours-export.tar"), bench.Box);
        Assert.Equal(await EntriesAsync("theirs-export.tar"), await EntriesAsync("ours-export.tar"));
    }

    public async ValueTask DisposeAsync()
    {
        await _daemon.DisposeAsync();
        await new Command("umount").TryAsync("--lazy", _gantry.Path("d/exec/netns/default"));
        await _gantry.DisposeAsync();
    }

    private static List<string> Words(CommandResult result) => Words(result.Output);

    private static List<string> Words(GantryResult result) => Words(result.Output);

    private static List<string> Words(string table) => [.. table.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];

    /// <summary>In the archive's order.</summary>
    private async Task<List<string>> EntriesAsync(string name)
    {
        await using var file = File.OpenRead(_gantry.Path(name));
        await using var reader = new TarReader(file);
        var entries = new List<string>();
        while (await reader.GetNextEntryAsync(copyData: true) is { } entry)
        {
            if (OfTheContainer.Contains(entry.Name)) continue;
            var content = entry.DataStream is { } data ? Oci.Digest.Of(ReadAll(data)).Hex : "";
            entries.Add($"{entry.Name} {entry.EntryType} {Convert.ToString((int)entry.Mode, 8)} {entry.Uid}:{entry.Gid} {entry.LinkName} {entry.ModificationTime.ToUnixTimeSeconds()} {content}");
        }

        return entries;
    }

    private static byte[] ReadAll(Stream stream)
    {
        var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
