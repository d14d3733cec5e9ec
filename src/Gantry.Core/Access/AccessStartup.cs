using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>
/// What must have happened before the first request is served, after the migrations: there is an administrator, and the
/// signing keys can be read.
/// </summary>
public sealed class AccessStartup(AdminBootstrap bootstrap, SigningKeys keys)
{
    /// <exception cref="OptionsValidationException">
    /// Access:KeyEncryptionKey does not fit the keys in the
    /// database.
    /// </exception>
    public async Task RunAsync(TextWriter console, CancellationToken cancellation = default)
    {
        // Keys first: a server that cannot start should not have shown a password that nobody can use.
        await keys.RefreshAsync(cancellation);
        await bootstrap.RunAsync(console, cancellation);
    }
}

/// <summary>Keeps the signing keys of this node as the database has them, and renews them in time.</summary>
internal sealed partial class SigningKeyRotation(SigningKeys keys, TimeProvider time, ILogger<SigningKeyRotation> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(SigningKeys.ReadEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await keys.RefreshAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // The keys read last still sign and verify; the next minute tries again.
                LogNotRead(logger, e);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The signing keys could not be read")]
    private static partial void LogNotRead(ILogger logger, Exception exception);
}
