using System.Net;

namespace Gantry.Engine.Remote.Transport;

/// <summary>How often the same thing is asked of the same server: so many times in a row without success, with pauses that double.</summary>
internal sealed class Tries(RemoteOptions options, int? max = null)
{
    private int _made = 1;

    /// <summary>Something came of the last one.</summary>
    public void Reset() => _made = 1;

    /// <summary>Waits and answers true, or answers false where it was the last one.</summary>
    public async Task<bool> AgainAsync(TimeSpan? after, CancellationToken cancellationToken)
    {
        if (_made >= (max ?? options.MaxTries)) return false;
        var pause = after ?? options.FirstPause * Math.Pow(2, Math.Min(_made - 1, 16));
        _made++;
        await Task.Delay(pause < options.LongestPause ? pause : options.LongestPause, options.Time, cancellationToken);
        return true;
    }

    /// <summary>Answers that the same request may find better later on.</summary>
    public static bool IsPassing(HttpStatusCode status) => (int)status is 408 or 429 or 500 or 502 or 503 or 504;

    /// <summary>A name that does not exist, and a certificate that is not trusted, are no better a moment later.</summary>
    public static bool IsPassing(EngineException failed) => failed.Fault == EngineFault.Network && failed.InnerException is { } cause
        && cause is not HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError };

    public static TimeSpan? RetryAfter(HttpResponseMessage response, TimeProvider time)
    {
        var after = response.Headers.RetryAfter;
        var wait = after?.Delta ?? after?.Date - time.GetUtcNow();
        return wait is null ? null : wait.Value < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }
}
