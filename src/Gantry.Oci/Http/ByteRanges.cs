using System.Runtime.InteropServices;

namespace Gantry.Oci.Http;

/// <summary>Some bytes of a representation: <paramref name="Count"/> (1 at least) from <paramref name="Offset"/> on.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ByteRange(long Offset, long Count)
{
    /// <summary>The last byte, inclusive, as <c>Content-Range</c> wants it.</summary>
    public long Last => Offset + Count - 1;
}

/// <summary>What to answer to a <c>Range</c> header.</summary>
public enum ByteRangesOutcome
{
    /// <summary>200 with everything: no header, or one that a server may ignore.</summary>
    Whole,

    /// <summary>206 with <see cref="ByteRanges.Ranges"/>.</summary>
    Partial,

    /// <summary>416 with <c>Content-Range: bytes */length</c>.</summary>
    Unsatisfiable,
}

/// <summary>
/// A <c>Range</c> header held against a representation's length (RFC 9110, section 14).
/// </summary>
/// <param name="Outcome">Which of the three answers.</param>
/// <param name="Ranges">
/// For <see cref="ByteRangesOutcome.Partial"/> one or more, in the order asked for, clipped to the representation, all
/// of them together never longer than it; else empty. With one the answer is a plain 206, with more
/// <c>multipart/byteranges</c>.
/// </param>
public sealed record ByteRanges(ByteRangesOutcome Outcome, IReadOnlyList<ByteRange> Ranges)
{
    /// <summary>
    /// The most ranges answered, past which the whole is sent. podman asks for up to 1,024 pieces of a zstd:chunked
    /// layer at once (containers/storage, <c>maxNumberMissingChunks</c>). Costs 16 KiB of memory at most; work is
    /// bounded by the rule that the ranges together may not exceed the representation (RFC 9110, section 17.15).
    /// </summary>
    public const int MaxRanges = 1024;

    private const string Unit = "bytes=";

    private static readonly ByteRanges Whole = new(ByteRangesOutcome.Whole, []);
    private static readonly ByteRanges Unsatisfiable = new(ByteRangesOutcome.Unsatisfiable, []);

    /// <param name="rangeHeader">The header's value, null where there is none. Never throws, whatever it holds.</param>
    /// <param name="length">
    /// The representation's bytes. Of an empty one the whole is sent whatever was asked: no 206 can describe it, and a
    /// client that resumes at its end should not fail.
    /// </param>
    /// <param name="maxRanges">For a store where each piece costs a request of its own: fewer.</param>
    public static ByteRanges Parse(string? rangeHeader, long length, int maxRanges = MaxRanges)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        var header = rangeHeader.AsSpan().Trim([' ', '\t']);
        if (length == 0 || !header.StartsWith(Unit, StringComparison.OrdinalIgnoreCase)) return Whole;

        var ranges = new List<ByteRange>();
        var specs = 0;
        var total = 0L;
        var set = header[Unit.Length..];
        foreach (var part in set.Split(','))
        {
            var spec = set[part].Trim([' ', '\t']);
            if (spec.IsEmpty) continue; // RFC 9110, section 5.6.1.2: empty list elements are ignored
            if (++specs > maxRanges || !TryParseSpec(spec, length, out var range)) return Whole;
            if (range.Count == 0) continue;
            if (range.Count > length - total) return Whole;

            total += range.Count;
            ranges.Add(range);
        }

        if (specs == 0) return Whole;
        return ranges.Count == 0 ? Unsatisfiable : new ByteRanges(ByteRangesOutcome.Partial, ranges);
    }

    /// <summary>False where the syntax is broken; a count of 0 where no byte of the representation is meant.</summary>
    private static bool TryParseSpec(ReadOnlySpan<char> spec, long length, out ByteRange range)
    {
        range = default;
        var dash = spec.IndexOf('-');
        if (dash < 0) return false;

        if (dash == 0)
        {
            if (!TryParseNumber(spec[1..], out var suffix)) return false;
            var count = Math.Min(suffix, length);
            range = new ByteRange(length - count, count);
            return true;
        }

        var last = long.MaxValue;
        if (!TryParseNumber(spec[..dash], out var first)) return false;
        if (dash < spec.Length - 1 && !TryParseNumber(spec[(dash + 1)..], out last)) return false;

        // Backwards is invalid, and may be ignored or rejected (RFC 9110, section 14.2); a client that miscounts is better
        // told than sent everything, and the conformance suite counts on it.
        if (first < length && first <= last) range = new ByteRange(first, Math.Min(last, length - 1) - first + 1);
        return true;
    }

    /// <summary>Digits of any number; what exceeds a long counts as its largest value (RFC 9110, section 14.1.2).</summary>
    private static bool TryParseNumber(ReadOnlySpan<char> digits, out long number)
    {
        number = 0;
        foreach (var c in digits)
        {
            if (!char.IsAsciiDigit(c)) return false;
            number = number > (long.MaxValue - 9) / 10 ? long.MaxValue : (number * 10) + (c - '0');
        }

        return !digits.IsEmpty;
    }
}
