using Gantry.Core.Data;
using Microsoft.Extensions.Hosting;

namespace Gantry.Core.Access;

/// <summary>
/// Reads the issuers' keys at the start, so that the first login need not wait and the log says early who cannot be
/// reached, and again from time to time, so that a key that an issuer withdrew is not trusted for long.
/// </summary>
internal sealed class IssuerKeyRefresh(IssuerTokens tokens, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        do await Task.WhenAll(tokens.Keys.Select(keys => keys.RefreshInTimeAsync()));
        while (await timer.NextTickAsync(stoppingToken));
    }
}
