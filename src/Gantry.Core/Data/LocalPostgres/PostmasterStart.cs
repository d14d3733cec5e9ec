using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Gantry.Core.Data;

/// <summary>Brings the cluster up, whatever state the last end left it in. Used at the start and after each death.</summary>
internal sealed partial class PostmasterStart(
    ClusterFolder folder, PostgresBinaries binaries, PostgresLauncher launcher, PostgresAccount account, bool durable,
    ILogger logger, TimeProvider time) : IDisposable
{
    internal const int MaxConnections = 100;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan PatienceForOrphan = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PatienceForLeftovers = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StillRecovering = TimeSpan.FromSeconds(10);

    private readonly string? socketElsewhere = Data.SocketFolder.Elsewhere(folder.Path, account);

    internal string SocketFolder => socketElsewhere ?? folder.Path;

    private string SocketFolderName => socketElsewhere ?? launcher.NameOf(folder.Path);

    internal async Task<Postmaster> RunAsync(CancellationToken ct)
    {
        // 1. A killed server leaves its PostgreSQL running.
        if (await TryAdoptAsync(ct) is { } orphan) return orphan;

        // 2. A killed postmaster leaves children that still write to the cluster. They end by themselves, soon.
        await EndLeftoversAsync(ct);

        // 3. Nobody is at work now, so these are stale. (PostgreSQL would take any process that has the old number
        //    and the same user for the old postmaster, and refuse: in a container the numbers are the same each time.)
        File.Delete(Path.Combine(folder.Path, PostmasterFile.FileName));
        foreach (var name in new[] { $".s.PGSQL.{Data.SocketFolder.Port}", $".s.PGSQL.{Data.SocketFolder.Port}.lock" })
        {
            File.Delete(Path.Combine(SocketFolder, name));
        }

        folder.Log.Bound();
        return await LaunchAsync(ct);
    }

    internal void BoundLog() => folder.Log.Bound();

    public void Dispose()
    {
        if (socketElsewhere is null || !Directory.Exists(socketElsewhere)) return;
        if (!Directory.EnumerateFileSystemEntries(socketElsewhere).Any()) Directory.Delete(socketElsewhere);
    }

    private async Task<Postmaster> LaunchAsync(CancellationToken ct)
    {
        var logStart = folder.Log.Length;
        var began = time.GetTimestamp();
        var lastWord = began;
        var child = launcher.Start(folder.Path, binaries.Postgres, Arguments());
        var postmaster = new Postmaster(child.Id, child, folder.Path, time);
        try
        {
            // No limit: replaying the write-ahead log takes what it takes, and ends or fails by itself.
            while (PostmasterFile.Read(folder.Path) is not { IsReady: true } file || file.Pid != child.Id)
            {
                if (child.HasExited) throw Failure(child, logStart);
                if (time.GetElapsedTime(lastWord) > StillRecovering)
                {
                    lastWord = time.GetTimestamp();
                    var elapsed = time.GetElapsedTime(began);
                    LogRecovering(logger, elapsed);
                }

                await Task.Delay(Poll, time, ct);
            }

            return postmaster;
        }
        catch (Exception)
        {
            await postmaster.StopAsync();
            postmaster.Dispose();
            throw;
        }
    }

    private async Task<Postmaster?> TryAdoptAsync(CancellationToken ct)
    {
        if (PostmasterFile.Read(folder.Path) is not { } file || !ClusterProcesses.Contains(folder.Path, file.Pid)) return null;
        var orphan = new Postmaster(file.Pid, child: null, folder.Path, time);

        // It may be starting or stopping at this moment.
        var began = time.GetTimestamp();
        while (!orphan.HasExited && time.GetElapsedTime(began) < PatienceForOrphan)
        {
            var now = PostmasterFile.Read(folder.Path);
            if (now is { IsReady: true } && now.SocketFolder != SocketFolderName) break; // the data folder was moved
            if (now is { IsReady: true } && File.Exists(Path.Combine(SocketFolder, $".s.PGSQL.{Data.SocketFolder.Port}")))
            {
                LogAdopted(logger, orphan.Pid);
                return orphan;
            }

            await Task.Delay(Poll, time, ct);
        }

        await orphan.StopAsync();
        return null;
    }

    private async Task EndLeftoversAsync(CancellationToken ct)
    {
        foreach (var kill in new[] { false, true })
        {
            var began = time.GetTimestamp();
            while (ClusterProcesses.Find(folder.Path) is { Count: > 0 } leftovers)
            {
                if (kill) foreach (var pid in leftovers) Posix.Signal(pid, Posix.Sigkill);
                if (time.GetElapsedTime(began) > PatienceForLeftovers)
                {
                    if (!kill) break;
                    throw new LocalPostgresException(
                        $"Processes of an earlier PostgreSQL still work on {folder.Path} and do not end: {string.Join(", ", leftovers)}.");
                }

                await Task.Delay(Poll * 5, time, ct);
            }
        }
    }

    private LocalPostgresException Failure(Process child, long logStart)
    {
        var reason = folder.Log.Explain(logStart);
        if (reason.Length == 0) reason = $"exit code {child.ExitCode} {child.StandardError.ReadToEnd().Trim()}";
        return new LocalPostgresException($"PostgreSQL does not start on {folder.Path}: {reason} (more in {folder.Log.Path})");
    }

    private List<string> Arguments()
    {
        List<string> arguments = ["-D", launcher.NameOf(folder.Path)];
        foreach (var (name, value) in Settings()) arguments.AddRange(["-c", $"{name}={value}"]);
        return arguments;
    }

    // For a registry on one node: short statements, few megabytes. Durability stays at PostgreSQL's defaults, said aloud.
    private IEnumerable<(string Name, string Value)> Settings() =>
    [
        ("listen_addresses", ""),
        ("port", Data.SocketFolder.Port.ToString()),
        ("unix_socket_directories", SocketFolderName),
        ("unix_socket_permissions", "0700"),
        ("max_connections", MaxConnections.ToString()),
        ("shared_buffers", "128MB"),
        ("jit", "off"),
        ("cluster_name", "gantry"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("logging_collector", "off"),
        ("log_destination", "stderr"),
        ("fsync", durable ? "on" : "off"),
        ("full_page_writes", durable ? "on" : "off"),
        ("synchronous_commit", "on"),
    ];

    [LoggerMessage(Level = LogLevel.Warning, Message = "Adopted the PostgreSQL that a killed server left running (process {ProcessId})")]
    private static partial void LogAdopted(ILogger logger, int processId);

    [LoggerMessage(Level = LogLevel.Information, Message = "PostgreSQL is still recovering after {Elapsed}")]
    private static partial void LogRecovering(ILogger logger, TimeSpan elapsed);
}
