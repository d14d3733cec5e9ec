using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gantry.Core.Access;

/// <summary>
/// Brings every change of access to this node: at once by LISTEN, and within a second where a notification was lost. It
/// holds one connection.
/// </summary>
internal sealed partial class AccessChangeFeed(
    NpgsqlDataSource database, AccessChanges changes, TimeProvider time, ILogger<AccessChangeFeed> logger) : BackgroundService
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PruneEvery = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogLost(logger, e);
                await Task.Delay(Beat, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        await using var connection = await database.OpenConnectionAsync(stoppingToken);
        await using (var listen = new NpgsqlCommand($"LISTEN {AccessChanges.Channel}", connection))
            await listen.ExecuteNonQueryAsync(stoppingToken);

        var pruned = time.GetTimestamp() - (long)(PruneEvery.TotalSeconds * time.TimestampFrequency);
        while (true)
        {
            await changes.RefreshAsync(stoppingToken);
            if (time.GetElapsedTime(pruned) >= PruneEvery)
            {
                await changes.PruneAsync(stoppingToken);
                pruned = time.GetTimestamp();
            }

            await connection.WaitAsync(Beat, stoppingToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Changes of access cannot be heard; until they can, bearer tokens are looked up at each request")]
    private static partial void LogLost(ILogger logger, Exception exception);
}
