using Gantry.Core.Limits;
using Gantry.Oci;
using Gantry.Server.Auth;

namespace Gantry.Server.Limits;

/// <summary>
/// One dear request of a caller at a time: what reads a layer up to a file, compares two images or counts a whole repository takes a second, or many, and asking
/// for it costs nothing. A caller's next one waits for its turn and nobody else's; too many at once are refused. An account is one caller, without one an
/// address (IPv6: a /64). Each node counts for itself.
/// </summary>
internal sealed class CallerTurns
{
    /// <summary>Requests of one caller that wait, or have the turn: a browser opens some pages at once.</summary>
    public const int MostInLine = 20;

    private const int RetryAfterSeconds = 5;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Line> _lines = new(StringComparer.Ordinal);

    /// <param name="account">Null: nobody in particular.</param>
    public static string CallerOf(HttpContext http, string? account) =>
        account is not null ? $"account {account}" : $"address {RequestLimits.NetworkOf(RequestAccess.ClientAddress(http))}";

    /// <returns>The turn, to be disposed of at its end.</returns>
    /// <exception cref="OciException">TooManyRequests: <see cref="MostInLine"/> are there already.</exception>
    public async Task<IDisposable> TakeAsync(string caller, CancellationToken cancellationToken)
    {
        var line = Enter(caller);
        try
        {
            await line.Turn.WaitAsync(cancellationToken);
        }
        catch
        {
            Leave(caller, line);
            throw;
        }

        return new Held(this, caller, line);
    }

    private Line Enter(string caller)
    {
        lock (_lock)
        {
            if (!_lines.TryGetValue(caller, out var line)) _lines[caller] = line = new Line();
            if (line.Length == MostInLine)
            {
                throw new OciException(OciErrorCode.TooManyRequests, $"{MostInLine} requests of this kind wait already; wait, then try again")
                {
                    RetryAfterSeconds = RetryAfterSeconds,
                };
            }

            line.Length++;
            return line;
        }
    }

    // Whoever is not there takes no memory.
    private void Leave(string caller, Line line)
    {
        lock (_lock)
        {
            if (--line.Length == 0) _lines.Remove(caller);
        }
    }

    private sealed class Line
    {
        public SemaphoreSlim Turn { get; } = new(1);

        public int Length { get; set; }
    }

    private sealed class Held(CallerTurns turns, string caller, Line line) : IDisposable
    {
        public void Dispose()
        {
            line.Turn.Release();
            turns.Leave(caller, line);
        }
    }
}
