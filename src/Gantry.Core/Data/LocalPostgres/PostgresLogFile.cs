using System.Text;

namespace Gantry.Core.Data;

/// <summary>
/// DATAROOT/postgres.log: what PostgreSQL has to say. At most 16 MiB, and as much again in postgres.log.1.
/// </summary>
internal sealed class PostgresLogFile(string path)
{
    private const long LimitBytes = 16 << 20;
    private const int TailBytes = 8 << 10;

    internal string Path => path;

    internal long Length => File.Exists(path) ? new FileInfo(path).Length : 0;

    /// <summary>
    /// Copies and truncates: the writers hold the file open for appending, so a rename would not reach them. A line
    /// written in between is lost, which a log may.
    /// </summary>
    internal void Bound(long limitBytes = LimitBytes)
    {
        if (Length < limitBytes) return;
        try
        {
            File.Copy(path, path + ".1", overwrite: true);
        }
        catch (IOException)
        {
            File.Delete(path + ".1"); // a full disk: the room matters more than the old lines
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(0);
    }

    /// <summary>The lines since a length that explain a failure, on one line; empty where there are none.</summary>
    internal string Explain(long since)
    {
        if (!File.Exists(path)) return "";
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Position = Math.Max(Math.Min(since, file.Length), file.Length - TailBytes);
        using var reader = new StreamReader(file, Encoding.UTF8);
        var lines = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var telling = lines.Where(IsTelling).ToArray();
        return string.Join(" | ", (telling.Length > 0 ? telling : lines).TakeLast(4));
    }

    private static bool IsTelling(string line) =>
        line.Contains("FATAL:") || line.Contains("PANIC:") || line.Contains("HINT:") || line.Contains("error:")
        || line.StartsWith("setpriv:", StringComparison.Ordinal);
}
