namespace Gantry.Core.Data;

/// <summary>
/// The PostgreSQL processes that work on one cluster, found by their working directory (always the cluster's folder),
/// because a process id in a file may meanwhile be anybody's.
/// </summary>
internal static class ClusterProcesses
{
    internal static IReadOnlyList<int> Find(string clusterFolder)
    {
        List<int> found = [];
        if (Posix.Identify(clusterFolder) is not { } folder) return found;
        foreach (var entry in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(entry), out var pid) && IsOneOf(folder, pid)) found.Add(pid);
        }

        return found;
    }

    internal static bool Contains(string clusterFolder, int pid) =>
        Posix.Identify(clusterFolder) is { } folder && IsOneOf(folder, pid);

    private static bool IsOneOf(Posix.FileIdentity folder, int pid)
    {
        // A dead process that nobody reaped has no working directory any more: rightly not found.
        if (Posix.Identify($"/proc/{pid}/cwd") is not { } there) return false;
        return there.Inode == folder.Inode && there.Device == folder.Device && Name(pid) is "postgres" or "postmaster";
    }

    private static string Name(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
