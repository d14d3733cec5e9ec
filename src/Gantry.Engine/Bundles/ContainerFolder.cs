using System.Text.RegularExpressions;
using Gantry.Engine.Content;
using Gantry.Engine.Unpack;

namespace Gantry.Engine.Bundles;

/// <summary>
/// Where a container's bundle and what it changed lie: <c>ROOT/containers/NAME</c>. Locked for as long as this lives, so that nobody removes what runs.
/// </summary>
public sealed partial class ContainerFolder : IDisposable
{
    private const string ProcessFileName = "pid";

    private readonly FileLock _held;

    private ContainerFolder(string name, string path, FileLock held) => (Name, Path, _held) = (name, path, held);

    public string Name { get; }

    /// <summary>For its owner alone.</summary>
    public string Path { get; }

    /// <summary>Empty at first.</summary>
    public string BundlePath => System.IO.Path.Combine(Path, "bundle");

    /// <summary>Where the runtime writes the container's first process: who looks for what runs finds it there even if gantry was killed.</summary>
    public string ProcessFile => System.IO.Path.Combine(Path, ProcessFileName);

    /// <param name="root">Of the store.</param>
    /// <param name="name">Null: one is made up.</param>
    /// <exception cref="EngineException">Usage: the name is taken, or none.</exception>
    public static ContainerFolder Create(string root, string? name)
    {
        if (name is not null && !Grammar().IsMatch(name))
            throw new EngineException(EngineFault.Usage, "a container's name has letters, digits, '_', '.' and '-', begins with a letter or digit and has 64 characters at most");
        name ??= $"gantry-{Guid.NewGuid().ToString("N")[..12]}";
        var folder = Folder(root);
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(folder, ownerOnly);
        var path = System.IO.Path.Combine(folder, name);
        var held = FileLock.TryTake(LockOf(path)) ?? throw Taken(name);
        if (Directory.Exists(path))
        {
            held.Dispose();
            throw Taken(name);
        }

        Directory.CreateDirectory(path, ownerOnly);
        Directory.CreateDirectory(System.IO.Path.Combine(path, "bundle"), ownerOnly);
        return new ContainerFolder(name, path, held);
    }

    /// <summary>Removes the containers that do not run, and says how many.</summary>
    public static int Prune(string root)
    {
        var folder = Folder(root);
        if (!Directory.Exists(folder)) return 0;
        var removed = 0;
        foreach (var path in Directory.GetDirectories(folder))
        {
            if (FileLock.TryTake(LockOf(path)) is not { } held) continue;
            if (HasProcess(path))
            {
                held.Dispose();
                continue;
            }

            TreeRemoval.Remove(path);
            held.Remove();
            removed++;
        }

        return removed;
    }

    public void Remove()
    {
        TreeRemoval.Remove(Path);
        _held.Remove();
    }

    public void Dispose() => _held.Dispose();

    /// <summary>A number that was given to another process since keeps a folder longer than needed, never shorter.</summary>
    private static bool HasProcess(string path)
    {
        var file = System.IO.Path.Combine(path, ProcessFileName);
        return File.Exists(file) && int.TryParse(File.ReadAllText(file), out var process) && Directory.Exists($"/proc/{process}");
    }

    private static string Folder(string root) => System.IO.Path.Combine(root, "containers");

    private static string LockOf(string path) => $"{path}.lock";

    private static EngineException Taken(string name) => new(EngineFault.Usage, $"there is a container {name} already; 'gantry prune' removes those that have ended");

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Grammar();
}
