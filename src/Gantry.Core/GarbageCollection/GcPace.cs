namespace Gantry.Core.GarbageCollection;

/// <summary>
/// Keeps one kind of work out of everybody's way. After each batch it says how long to rest: so that no more than
/// <see cref="GcOptions.MaxPerSecond"/> things are looked at, and so that the work takes no more than
/// <see cref="GcOptions.MaxShare"/> of the time. The second is what backs off under load: a statement that takes ten times as
/// long is followed by a rest ten times as long, up to ten seconds: a server that is always busy collects all the same. And it
/// sets the size of the next batch, so that its locks, on rows that hardly anybody uses, are held for a fraction of a second;
/// below a hundred rows what a transaction costs by itself would count for most, unless so many cannot be done in a statement's time.
/// </summary>
internal sealed class GcPace(GcOptions options, TimeProvider time)
{
    private const int First = 200, Least = 100, Most = 1000;
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan TooLong = TimeSpan.FromMilliseconds(200), Short = TimeSpan.FromMilliseconds(50);
    private int _least = Math.Min(Least, options.MaxPerSecond);
    private long _begun;

    /// <summary>How much the next batch may take on.</summary>
    public int BatchSize { get; private set; } = Math.Min(First, options.MaxPerSecond);

    public void Begin() => _begun = time.GetTimestamp();

    /// <summary>The batch was given up for its time: halves the next one, however small.</summary>
    public void Shrink() => BatchSize = _least = Math.Max(BatchSize / 2, 1);

    /// <summary>Ends what <see cref="Begin"/> began.</summary>
    /// <param name="things">That were looked at.</param>
    /// <returns>How long to rest before anything else is begun.</returns>
    public TimeSpan End(int things)
    {
        var took = time.GetElapsedTime(_begun);
        if (took > TooLong) BatchSize = Math.Max(BatchSize / 2, _least);
        else if (took < Short && things >= BatchSize) BatchSize = Math.Min(BatchSize * 2, Math.Min(Most, options.MaxPerSecond));

        var share = took * (1 / options.MaxShare - 1);
        var forShare = share < LongestRest ? share : LongestRest;
        var forRate = TimeSpan.FromSeconds((double)things / options.MaxPerSecond) - took;
        return forShare > forRate ? forShare : forRate;
    }
}
