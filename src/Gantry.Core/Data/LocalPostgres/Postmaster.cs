using System.Diagnostics;

namespace Gantry.Core.Data;

/// <summary>A running postmaster: our child, or the orphan of a killed server that we adopted.</summary>
internal sealed class Postmaster(int pid, Process? child, string clusterFolder, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan PatienceForFast = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PatienceForImmediate = TimeSpan.FromSeconds(10);

    internal int Pid => pid;

    /// <summary>Null for an orphan: only a parent learns it.</summary>
    internal int? ExitCode => child?.ExitCode;

    internal bool HasExited => child?.HasExited ?? !ClusterProcesses.Contains(clusterFolder, pid);

    internal async Task WaitForExitAsync(CancellationToken ct)
    {
        if (child is not null)
        {
            await child.WaitForExitAsync(ct);
            return;
        }

        while (!HasExited) await Task.Delay(Poll, time, ct);
    }

    /// <summary>
    /// Fast shutdown: sessions are cut, a checkpoint is written, and it ends. What does not end within a minute is
    /// ended harder; the write-ahead log makes up for it at the next start.
    /// </summary>
    internal async Task StopAsync()
    {
        (int Signal, TimeSpan Patience)[] steps =
        [
            (Posix.Sigint, PatienceForFast), (Posix.Sigquit, PatienceForImmediate), (Posix.Sigkill, PatienceForImmediate),
        ];
        foreach (var (signal, patience) in steps)
        {
            if (HasExited) return;
            Posix.Signal(pid, signal);
            using var limit = new CancellationTokenSource(patience, time);
            try
            {
                await WaitForExitAsync(limit.Token);
                return;
            }
            catch (OperationCanceledException)
            {
                // the next, harder step
            }
        }
    }

    public void Dispose() => child?.Dispose();
}
