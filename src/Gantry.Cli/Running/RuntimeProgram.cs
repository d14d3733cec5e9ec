using Gantry.Engine;

namespace Gantry.Cli.Running;

/// <summary>The OCI runtime to hand bundles to.</summary>
internal static class RuntimeProgram
{
    private static readonly string[] Known = ["runc", "crun"], AlsoIn = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

    /// <param name="given">A path, or a name to look for; null: the usual ones.</param>
    /// <exception cref="EngineException">NotFound.</exception>
    public static string Find(string? given)
    {
        if (given is not null && given.Contains('/', StringComparison.Ordinal)) return File.Exists(given) ? Path.GetFullPath(given) : throw Missing($"there is no {given}");

        // Only absolute folders: what lies in the current one is not the machine's runtime.
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(AlsoIn).Where(Path.IsPathRooted).ToList();
        string[] names = given is null ? Known : [given];
        return names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists)
            ?? throw Missing($"{string.Join(" or ", names)} is not to be found in PATH; install runc, or name a runtime with --runtime");
    }

    private static EngineException Missing(string what) => new(EngineFault.NotFound, Output.Shown.Text(what));
}
