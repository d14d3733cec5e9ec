using Gantry.Oci;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace Gantry.Core.Access;

/// <summary>
/// The keys of one issuer as this node knows them. Read every <see cref="RefreshEvery"/> in the background; a token with an
/// unknown key has them read at once, but not within <see cref="AskAgainAfter"/> of the last time, whatever strangers
/// send, and by one request for all that wait. While the issuer is away the last keys hold for <see cref="HeldFor"/>.
/// </summary>
internal sealed partial class IssuerKeys(
    string name, IssuerOptions options, TimeProvider time, ILogger<IssuerKeys> logger) : IDisposable
{
    public static readonly TimeSpan RefreshEvery = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan HeldFor = TimeSpan.FromHours(24);

    private readonly Lock _lock = new();
    private readonly IssuerDownload _download = new(options, time);
    private readonly CancellationTokenSource _stopping = new();
    private Known _known = new(null, 0, Failed: true);
    private Task<Known>? _reading;
    private long? _askedAt;

    /// <summary>Null: the issuer has no such key.</summary>
    /// <exception cref="OciException">Unavailable: that cannot be said, because the issuer cannot be reached.</exception>
    public async ValueTask<JsonWebKey?> FindAsync(string id, string algorithm, CancellationToken cancellationToken)
    {
        var known = Volatile.Read(ref _known);
        if (Find(known) is { } key) return key;
        known = await RefreshAsync(AskAgainAfter).WaitAsync(cancellationToken);
        if (Find(known) is { } fresh) return fresh;
        if (!known.Failed) return null;
        throw new OciException(OciErrorCode.Unavailable, $"the token cannot be verified: its issuer ({name}) cannot be reached; try again")
        {
            RetryAfterSeconds = (int)AskAgainAfter.TotalSeconds,
        };

        JsonWebKey? Find(Known from) =>
            from.Keys is not null && time.GetElapsedTime(from.ReadAt) < HeldFor ? from.Keys.Find(id, algorithm) : null;
    }

    /// <summary>Reads them again where the last time is as long ago as that; ends with what is known then, and never fails.</summary>
    public Task<Known> RefreshAsync(TimeSpan notWithin)
    {
        lock (_lock)
        {
            if (_reading is { IsCompleted: false }) return _reading;
            if (_askedAt is { } asked && time.GetElapsedTime(asked) < notWithin) return Task.FromResult(_known);
            _askedAt = time.GetTimestamp();
            // Not tied to the request that happens to be first: the others wait for the same answer.
            return _reading = Task.Run(ReadAsync);
        }
    }

    public Task RefreshInTimeAsync() => RefreshAsync(Volatile.Read(ref _known).Failed ? AskAgainAfter : RefreshEvery);

    public void Dispose()
    {
        _stopping.Cancel();
        _download.Dispose();
    }

    private async Task<Known> ReadAsync()
    {
        var asked = time.GetTimestamp();
        Known known;
        try
        {
            known = new Known(await _download.FetchAsync(_stopping.Token), asked, Failed: false);
            LogRead(logger, name, known.Keys!.Count);
        }
        catch (Exception e) when (e is IssuerUnreachableException or OperationCanceledException or ObjectDisposedException)
        {
            known = _known with { Failed = true };
            if (!_stopping.IsCancellationRequested) LogUnreachable(logger, name, e.Message);
        }

        Volatile.Write(ref _known, known);
        return known;
    }

    /// <param name="Keys">Null: they were never read.</param>
    /// <param name="ReadAt">When these were asked for.</param>
    /// <param name="Failed">The last try did not get an answer.</param>
    internal sealed record Known(IssuerKeySet? Keys, long ReadAt, bool Failed);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Issuer {Issuer} has {Count} keys")]
    private static partial void LogRead(ILogger logger, string issuer, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The keys of issuer {Issuer} cannot be read: {Reason}")]
    private static partial void LogUnreachable(ILogger logger, string issuer, string reason);
}
