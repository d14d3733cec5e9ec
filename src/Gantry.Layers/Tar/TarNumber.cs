namespace Gantry.Layers.Tar;

/// <summary>Numbers as headers and records spell them.</summary>
internal static class TarNumber
{
    /// <summary>
    /// A field of a header: octal digits between spaces and NULs (none: 0; what follows a NUL is not looked at), or GNU's base 256, two's complement,
    /// where the highest bit is set. False for anything else and for what does not fit 64 bits.
    /// </summary>
    public static bool TryParseField(ReadOnlySpan<byte> field, out long value)
    {
        if ((field[0] & 0x80) != 0) return TryParseBase256(field, out value);
        value = 0;
        field = field.TrimStart(" \0"u8);
        var digits = 0;
        for (; digits < field.Length && field[digits] is >= (byte)'0' and <= (byte)'7'; digits++)
        {
            if (value > long.MaxValue >> 3) return false;
            value = (value << 3) | (uint)(field[digits] - '0');
        }

        var rest = field[digits..].TrimStart((byte)' ');
        return rest.IsEmpty || rest[0] == 0;
    }

    /// <summary>A record's number: decimal digits and nothing else, at most 2^63 - 1.</summary>
    public static bool TryParseDecimal(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        foreach (var character in text)
        {
            if (character is < (byte)'0' or > (byte)'9') return false;
            var digit = character - '0';
            if (value > (long.MaxValue - digit) / 10) return false;
            value = (value * 10) + digit;
        }

        return !text.IsEmpty;
    }

    /// <summary>A record's time, <c>-12.345</c>: digits past the nanosecond are dropped, seconds past 64 bits are the furthest there are.</summary>
    public static bool TryParseTime(ReadOnlySpan<byte> text, out TarTime time)
    {
        time = default;
        var isNegative = !text.IsEmpty && text[0] == '-';
        if (isNegative) text = text[1..];
        var point = text.IndexOf((byte)'.');
        var whole = point < 0 ? text : text[..point];
        var fraction = point < 0 ? default : text[(point + 1)..];
        if (whole.IsEmpty || whole.ContainsAnyExceptInRange((byte)'0', (byte)'9') || fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return false;
        if (!TryParseDecimal(whole, out var seconds)) seconds = long.MaxValue;
        var nanoseconds = 0;
        for (var digit = 0; digit < 9; digit++) nanoseconds = (nanoseconds * 10) + (digit < fraction.Length ? fraction[digit] - '0' : 0);
        if (!isNegative) time = new TarTime(seconds, nanoseconds);
        else if (nanoseconds == 0) time = new TarTime(-seconds, 0);
        else time = new TarTime(-seconds - 1, 1_000_000_000 - nanoseconds);
        return true;
    }

    private static bool TryParseBase256(ReadOnlySpan<byte> field, out long value)
    {
        // The marking bit is no part of the number; the one below it is the sign.
        value = (sbyte)(field[0] << 1) >> 1;
        foreach (var part in field[1..])
        {
            if (value is > long.MaxValue >> 8 or < long.MinValue >> 8) return false;
            value = (value << 8) | part;
        }

        return true;
    }
}
