using Gantry.Core.Pull;

namespace Gantry.Server.Workers;

/// <summary>Writes down every ten seconds what was pulled from this node, sooner where there is no room for more, and at its end.</summary>
internal sealed partial class PullCountWorker(PullCounts counts, TimeProvider time, ILogger<PullCountWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10), Least = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            // Not at once after the last, however fast it fills.
            await Task.Delay(Least, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await counts.Full.WaitAsync(Every, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await WriteAsync();
        }
    }

    // The last time as the server stops: not cancelled by that.
    private async Task WriteAsync()
    {
        try
        {
            await counts.WriteAsync(CancellationToken.None);
        }
        catch (Exception exception)
        {
            // The database is away, most likely. It is kept, and written with the next; serving goes on.
            LogNotWritten(logger, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Pulls could not be written down yet")]
    private static partial void LogNotWritten(ILogger logger, Exception exception);
}
