using System.Globalization;
using Gantry.Core.Browse;

namespace Gantry.Server.Ui;

/// <summary>
/// What the store held over a time, as the points of a picture: x from 0 to <see cref="Width"/> by time, y from <see cref="Height"/> (nothing) up to
/// 0 (<see cref="Top"/>). A day's end that nobody looked at is a straight line.
/// </summary>
internal sealed class StoragePlot
{
    public const int Width = 1000, Height = 240, Parts = 4;

    /// <summary>Each is a point of the picture; it bounds its size and the memory of reading it.</summary>
    public const int Points = 250;

    private static readonly int[] Steps = [1, 2, 5, 10, 20, 50, 100, 200, 500];

    /// <param name="samples">Oldest first, and at least one.</param>
    public StoragePlot(IReadOnlyList<StorageSample> samples)
    {
        Samples = samples;
        Top = Parts * StepOf(samples.Max(sample => sample.Bytes));
        var (first, span) = (samples[0].At, Math.Max(1, (samples[^1].At - samples[0].At).TotalSeconds));
        Line = string.Join(' ', samples.Select(sample => string.Create(CultureInfo.InvariantCulture,
            $"{(sample.At - first).TotalSeconds / span * Width:0.#},{Height - (double)sample.Bytes / Top * Height:0.#}")));
    }

    public IReadOnlyList<StorageSample> Samples { get; }

    /// <summary>Bytes at the upper edge.</summary>
    public long Top { get; }

    /// <summary>As an SVG polyline takes them.</summary>
    public string Line { get; }

    public string Area => $"0,{Height} {Line} {Width},{Height}";

    /// <summary>From the upper edge down.</summary>
    public IEnumerable<long> Marks => Enumerable.Range(0, Parts + 1).Select(part => Top / Parts * (Parts - part));

    /// <summary>Begin, middle and end.</summary>
    public IEnumerable<DateTimeOffset> Times
    {
        get
        {
            var (first, last) = (Samples[0].At, Samples[^1].At);
            return [first, first + ((last - first) / 2), last];
        }
    }

    /// <summary>At most so many, evenly spread, the last one among them: for reading as a table, the newest first.</summary>
    public IEnumerable<StorageSample> Rows(int most)
    {
        var every = (Samples.Count + most - 1) / most;
        for (var index = Samples.Count - 1; index >= 0; index -= every) yield return Samples[index];
    }

    /// <summary>A part of the scale: a round number of bytes in binary units.</summary>
    private static long StepOf(long bytes)
    {
        for (var unit = 1L; ; unit *= 1024)
        {
            foreach (var step in Steps)
            {
                if (step * unit >= (double)bytes / Parts) return step * unit;
            }

            if (unit > long.MaxValue / 1024 / 500 / Parts) return 500 * unit;
        }
    }
}
