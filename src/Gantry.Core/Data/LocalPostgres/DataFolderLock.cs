namespace Gantry.Core.Data;

/// <summary>
/// One server per data folder: <c>server.lock</c>, held with flock by the server process itself. The kernel lets
/// go of it at kill -9, and it is close-on-exec, so an orphaned PostgreSQL never keeps it.
/// </summary>
internal sealed class DataFolderLock : IDisposable
{
    private const string FileName = "server.lock";
    private const int WouldBlock = 11;
    private readonly FileStream file;

    private DataFolderLock(FileStream file) => this.file = file;

    /// <summary>Null where another process holds the folder.</summary>
    internal static DataFolderLock? TryTake(string dataRoot)
    {
        var path = Path.Combine(dataRoot, FileName);
        FileStream taken;
        try
        {
            // FileShare.None is flock(LOCK_EX | LOCK_NB).
            taken = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (IOException e) when (e.HResult == WouldBlock)
        {
            return null;
        }

        taken.SetLength(0);
        taken.Write(System.Text.Encoding.ASCII.GetBytes($"{Environment.ProcessId}\n"));
        taken.Flush();
        return new DataFolderLock(taken);
    }

    internal static LocalPostgresException Refusal(string dataRoot) => new(
        $"Another gantry-server{Holder(dataRoot)} is already using the data folder {dataRoot}: stop it first, or give " +
        "this one a folder of its own with --Data:Root.");

    public void Dispose() => file.Dispose();

    private static string Holder(string dataRoot)
    {
        var pid = ReadPid(Path.Combine(dataRoot, FileName));
        return pid.Length > 0 ? $" (process {pid})" : "";
    }

    private static string ReadPid(string path)
    {
        try
        {
            // Opened by hand: FileStream would ask for a lock of its own, which the holder's forbids.
            using var stream = new FileStream(Posix.OpenForReading(path), FileAccess.Read);
            using var reader = new StreamReader(stream);
            return reader.ReadToEnd().Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
