using Microsoft.Extensions.Logging;

namespace Gantry.Core.Data;

public sealed partial class LocalPostgres
{
    private static readonly TimeSpan LogCheck = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ShortestBackoff = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(10);

    // Tries for ever: a full disk or a lack of memory passes, and the server answers 503 until then.
    private async Task SuperviseAsync(CancellationToken ct)
    {
        await Task.Yield();
        var backoff = ShortestBackoff;
        try
        {
            while (true)
            {
                var began = time.GetTimestamp();
                await WaitForEndAsync(ct);
                LogDied(logger, postmaster!.Pid, postmaster.ExitCode);
                Died?.Invoke(this, EventArgs.Empty);
                if (time.GetElapsedTime(began) > LongestBackoff) backoff = ShortestBackoff;

                while (!await TryRestartAsync(ct))
                {
                    await Task.Delay(backoff, time, ct);
                    backoff = backoff * 2 < LongestBackoff ? backoff * 2 : LongestBackoff;
                }

                LogRestarted(logger, postmaster.Pid);
                Restarted?.Invoke(this, EventArgs.Empty);
                await Task.Delay(backoff, time, ct); // one that dies at once each time must not keep a core busy
                backoff = backoff * 2 < LongestBackoff ? backoff * 2 : LongestBackoff;
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // stopped with the server
        }
    }

    private async Task WaitForEndAsync(CancellationToken ct)
    {
        var end = postmaster!.WaitForExitAsync(ct);
        while (await Task.WhenAny(end, Task.Delay(LogCheck, time, ct)) != end)
        {
            ct.ThrowIfCancellationRequested();
            start!.BoundLog();
        }

        await end;
    }

    private async Task<bool> TryRestartAsync(CancellationToken ct)
    {
        try
        {
            var next = await start!.RunAsync(ct);
            postmaster!.Dispose();
            postmaster = next;
            return true;
        }
        catch (Exception e) when (e is LocalPostgresException or IOException or UnauthorizedAccessException)
        {
            LogRestartFailed(logger, e.Message);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "PostgreSQL (process {ProcessId}) ended by itself, exit code {ExitCode}; starting it again")]
    private static partial void LogDied(ILogger logger, int processId, int? exitCode);

    [LoggerMessage(Level = LogLevel.Warning, Message = "PostgreSQL is back as process {ProcessId}")]
    private static partial void LogRestarted(ILogger logger, int processId);

    [LoggerMessage(Level = LogLevel.Error, Message = "PostgreSQL does not start: {Reason}")]
    private static partial void LogRestartFailed(ILogger logger, string reason);
}
