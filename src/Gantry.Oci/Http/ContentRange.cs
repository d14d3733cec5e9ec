using System.Globalization;
using System.Runtime.InteropServices;

namespace Gantry.Oci.Http;

/// <summary>
/// Where an uploaded chunk belongs (distribution-spec, "Pushing a blob in chunks"): first and last byte, both
/// inclusive, counted from 0. The spec writes <c>a-b</c>; the form of RFC 9110 section 14.4, <c>bytes a-b/total</c> with
/// a total or <c>*</c>, is taken as well, because HTTP libraries write no other. <c>Start</c> is at most <c>End</c>, and
/// <c>End</c> is below <see cref="long.MaxValue"/>, so <see cref="Length"/> never overflows.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ContentRange
{
    private const string Unit = "bytes";

    private ContentRange(long start, long end) => (Start, End) = (start, end);

    public long Start { get; }

    public long End { get; }

    /// <summary>Bytes in the chunk, 1 at least: a chunk of nothing has no range.</summary>
    public long Length => End - Start + 1;

    public static bool TryParse(string? text, out ContentRange range)
    {
        range = default;
        var rest = text.AsSpan().Trim(' ');
        if (rest.StartsWith(Unit + " ", StringComparison.OrdinalIgnoreCase)) rest = rest[Unit.Length..].TrimStart(' ');

        long? total = null;
        var slash = rest.IndexOf('/');
        if (slash >= 0)
        {
            if (rest[(slash + 1)..] is not "*")
            {
                if (!TryParseOffset(rest[(slash + 1)..], out var given)) return false;
                total = given;
            }

            rest = rest[..slash];
        }

        var dash = rest.IndexOf('-');
        if (dash < 0 || !TryParseOffset(rest[..dash], out var start) || !TryParseOffset(rest[(dash + 1)..], out var end))
            return false;
        if (start > end || end == long.MaxValue || end >= total) return false;

        range = new ContentRange(start, end);
        return true;
    }

    public override string ToString() => $"{Start}-{End}";

    /// <summary>Digits alone: the library would let NUL characters after them pass.</summary>
    private static bool TryParseOffset(ReadOnlySpan<char> text, out long offset)
    {
        offset = 0;
        return !text.ContainsAnyExceptInRange('0', '9')
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out offset);
    }
}
