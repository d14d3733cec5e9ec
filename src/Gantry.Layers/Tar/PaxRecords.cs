namespace Gantry.Layers.Tar;

/// <summary>The records of a PAX header, <c>LENGTH KEY=VALUE\n</c>, one after the other (POSIX, pax, "Extended Header").</summary>
internal ref struct PaxRecords(ReadOnlySpan<byte> payload)
{
    private ReadOnlySpan<byte> _rest = payload;
    private int _offset;

    public ReadOnlySpan<byte> Key { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Where in the payload the value starts.</summary>
    public int ValueOffset { get; private set; }

    /// <summary>False after the last record; whatever does not have the form of a record is refused, for no two readers agree on it.</summary>
    public bool Next()
    {
        if (_rest.IsEmpty) return false;
        var space = _rest.IndexOf((byte)' ');
        if (space is < 1 or > 10 || _rest[0] == '0' || !TarNumber.TryParseDecimal(_rest[..space], out var length))
            throw Bad("a record without its length");
        if (length > _rest.Length || length < space + 4 || _rest[(int)length - 1] != '\n') throw Bad("a record of the wrong length");

        var record = _rest[(space + 1)..((int)length - 1)];
        var equals = record.IndexOf((byte)'=');
        if (equals < 1) throw Bad("a record without a key");
        Key = record[..equals];
        Value = record[(equals + 1)..];
        ValueOffset = _offset + space + 1 + equals + 1;
        if (Key.Contains((byte)0)) throw Bad("a key with NUL");
        if (Value.Contains((byte)0) && IsText(Key)) throw Bad("a name with NUL");

        _rest = _rest[(int)length..];
        _offset += (int)length;
        return true;
    }

    private static bool IsText(ReadOnlySpan<byte> key) =>
        key.SequenceEqual("path"u8) || key.SequenceEqual("linkpath"u8) || key.SequenceEqual("uname"u8) || key.SequenceEqual("gname"u8)
        || key.SequenceEqual("GNU.sparse.name"u8);

    private static LayerException Bad(string what) => new(LayerFault.Archive, $"a PAX header has {what}");
}
