using Gantry.Core.Browse;

namespace Gantry.Server.Workers;

/// <summary>Says every few seconds that this node runs, and at its end that it does not.</summary>
internal sealed partial class NodeWorker(NodeList nodes, TimeProvider time, ILogger<NodeWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await TryAsync(nodes.BeatAsync, stoppingToken);
            await Task.Delay(NodeList.Beat, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await TryAsync(nodes.LeaveAsync, CancellationToken.None);
    }

    private async Task TryAsync(Func<CancellationToken, Task> say, CancellationToken cancellationToken)
    {
        try
        {
            await say(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The last word follows.
        }
        catch (Exception exception)
        {
            // The database is away, most likely, which others tell louder: the next time.
            LogNotSaid(logger, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The list of nodes could not be written")]
    private static partial void LogNotSaid(ILogger logger, Exception exception);
}
