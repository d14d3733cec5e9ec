namespace Gantry.Core.Data;

/// <summary>postmaster.pid: what the running (or killed) postmaster noted about itself.</summary>
internal sealed record PostmasterFile(int Pid, string SocketFolder, bool IsReady)
{
    internal const string FileName = "postmaster.pid";

    /// <summary>Null where there is none, or it is not written to the end yet.</summary>
    internal static PostmasterFile? Read(string clusterFolder)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(Path.Combine(clusterFolder, FileName));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        // Lines: pid, data folder, start time, port, socket folder, TCP address, shared memory, status.
        if (lines.Length < 1 || !int.TryParse(lines[0], out var pid)) return null;
        return new PostmasterFile(pid, lines.ElementAtOrDefault(4)?.Trim() ?? "",
            lines.ElementAtOrDefault(7)?.Trim() is "ready");
    }
}
