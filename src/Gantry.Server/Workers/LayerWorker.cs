using System.Data.Common;
using Gantry.Core.Data;
using Gantry.Core.Look;
using Microsoft.Extensions.Options;

namespace Gantry.Server.Workers;

/// <summary>
/// Reads layers that wait, one after the other. Every node runs one; each layer is claimed. Where somebody at this node waits it begins at once, else within moments.
/// </summary>
internal sealed partial class LayerWorker(
    LayerIndexing indexing, LayerListings listings, IOptions<LookOptions> options, TimeProvider time, ILogger<LayerWorker> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(3), PauseAfterFault = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Enabled) return;
        var isRenewed = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!isRenewed) await indexing.RenewAsync(stoppingToken);
                isRenewed = true;
                while (await indexing.NextAsync(stoppingToken) is not null) continue;
                await listings.WaitAsync(Pause, stoppingToken);
            }
            catch (Exception exception) when (IsPassing(exception) && !stoppingToken.IsCancellationRequested)
            {
                LogPutOff(logger, exception);
                await Task.Delay(PauseAfterFault, time, stoppingToken);
            }
        }
    }

    /// <summary>The store or the database is away, or zstd's library is still to be installed.</summary>
    private static bool IsPassing(Exception exception) =>
        exception is IOException or DllNotFoundException or DbException { IsTransient: true } || DatabaseOutage.Is(exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Reading layers is put off")]
    private static partial void LogPutOff(ILogger logger, Exception exception);
}
