namespace Gantry.Layers.Tar;

/// <summary>
/// What the meta headers before an entry say of it: long names (GNU 'L' and 'K') and PAX records. Their bytes are kept in one array, which grows with what
/// has really been read, to <see cref="TarLimits.MetaBytesPerEntry"/> at most; names and attributes are pieces of it. Later headers win over earlier ones.
/// </summary>
internal sealed partial class EntryMeta(TarLimits limits)
{
    private const int GrowStep = 32 << 10;

    private readonly List<TarAttribute> _attributes = [];
    private readonly List<(Range Name, Range Value)> _attributeRanges = [];
    private byte[] _bytes = [];
    private int _used;
    private int _cost;
    private int _attributeRecords;
    private int _attributeBytes;
    private Range? _name;
    private Range? _linkName;

    /// <summary>Whether a header has been read that needs an entry to follow.</summary>
    public bool IsPending { get; private set; }

    public ReadOnlyMemory<byte>? Name => Text(_sparseName ?? _name);

    public ReadOnlyMemory<byte>? LinkName => Text(_linkName);

    public long? Size { get; private set; }

    public long? Uid { get; private set; }

    public long? Gid { get; private set; }

    public TarTime? Modified { get; private set; }

    public IReadOnlyList<TarAttribute> Attributes
    {
        get
        {
            if (_attributeRanges.Count == 0) return [];
            _attributes.Clear();
            foreach (var (name, value) in _attributeRanges) _attributes.Add(new TarAttribute(_bytes.AsMemory(name), _bytes.AsMemory(value)));
            return _attributes;
        }
    }

    public void Clear()
    {
        // Most entries have no meta header and nothing more to forget. GNU's old sparse files have a map all the same.
        SparseMap.Clear();
        if (_cost == 0) return;
        (_used, _cost, _attributeRecords, _attributeBytes, IsPending) = (0, 0, 0, 0, false);
        (_name, _linkName) = (null, null);
        (Size, Uid, Gid, Modified) = (null, null, null, null);
        _attributeRanges.Clear();
        ClearSparse();
    }

    /// <summary>Reads the payload of a meta header of <paramref name="type"/>; the input stands behind the header.</summary>
    public void Read(TarInput input, byte type, long size)
    {
        if (size > limits.MetaBytes) throw new LayerException(LayerFault.TooLarge, $"a long name or PAX header claims {size} bytes");
        _cost += TarHeader.Size + (int)size;
        if (_cost > limits.MetaBytesPerEntry) throw new LayerException(LayerFault.TooLarge, "an entry has too many PAX headers before it");

        var payload = Append(input, (int)size);
        switch (type)
        {
            case (byte)'L': _name = LongName(payload); break;
            case (byte)'K': _linkName = LongName(payload); break;
            case (byte)'x': Apply(payload); break;
            default:
                // A global header speaks of all entries, which no image may rely on: read for its form and forgotten.
                var records = new PaxRecords(_bytes.AsSpan(payload));
                while (records.Next()) { }
                _used -= (int)size;
                return;
        }

        IsPending = true;
    }

    private Range Append(TarInput input, int size)
    {
        var start = _used;
        while (_used < start + size)
        {
            // No more than is about to be read: a header may claim what never comes.
            var step = Math.Min(GrowStep, start + size - _used);
            if (_bytes.Length - _used < step) Array.Resize(ref _bytes, Math.Max(_used + step, _bytes.Length * 2));
            var read = input.Read(_bytes.AsSpan(_used, step));
            if (read == 0) throw new LayerException(LayerFault.Archive, "the archive ends within a long name or PAX header");
            _used += read;
        }

        input.Skip(TarReader.PaddingOf(size));
        return start.._used;
    }

    private Range? LongName(Range payload)
    {
        var text = _bytes.AsSpan(payload);
        var end = text.IndexOf((byte)0);
        if (end < 0) end = text.Length;
        if (text[end..].ContainsAnyExcept((byte)0)) throw new LayerException(LayerFault.Archive, "a long name has NUL in it");
        return end == 0 ? null : payload.Start..(payload.Start.Value + end);
    }

    private ReadOnlyMemory<byte>? Text(Range? range)
    {
        if (range is { } known) return _bytes.AsMemory(known);
        return null;
    }

    private void Apply(Range payload)
    {
        var offset = payload.Start.Value;
        var records = new PaxRecords(_bytes.AsSpan(payload));
        while (records.Next())
        {
            var key = records.Key;
            var valueStart = offset + records.ValueOffset;
            var value = valueStart..(valueStart + records.Value.Length);
            var keyEnd = valueStart - 1;
            if (key.StartsWith("SCHILY.xattr."u8)) AddAttribute((keyEnd - key.Length + "SCHILY.xattr.".Length)..keyEnd, value);
            else if (key.StartsWith("GNU.sparse."u8)) ApplySparse(key["GNU.sparse.".Length..], value);
            else ApplyField(key, records.Value, value);
        }
    }

    private void ApplyField(ReadOnlySpan<byte> key, ReadOnlySpan<byte> text, Range value)
    {
        // An empty value takes back what was said before; the header's own field counts again.
        if (key.SequenceEqual("path"u8)) _name = text.IsEmpty ? null : value;
        else if (key.SequenceEqual("linkpath"u8)) _linkName = text.IsEmpty ? null : value;
        else if (key.SequenceEqual("size"u8)) Size = Decimal(key, text);
        else if (key.SequenceEqual("uid"u8)) Uid = Decimal(key, text);
        else if (key.SequenceEqual("gid"u8)) Gid = Decimal(key, text);
        else if (key.SequenceEqual("mtime"u8)) Modified = Time(key, text);
    }

    private void AddAttribute(Range name, Range value)
    {
        var nameBytes = _bytes.AsSpan(name);
        var valueLength = _bytes.AsSpan(value).Length;
        if (nameBytes.IsEmpty) throw new LayerException(LayerFault.Archive, "an extended attribute has no name");
        _attributeBytes += nameBytes.Length + valueLength;
        if (nameBytes.Length > limits.AttributeNameBytes || valueLength > limits.AttributeValueBytes || _attributeBytes > limits.AttributeBytesPerEntry)
            throw new LayerException(LayerFault.TooLarge, $"the extended attribute {Printable.Of(nameBytes)} is too long, or they are together");

        // Repeated ones count too: each is compared with all before it.
        if (++_attributeRecords > limits.AttributesPerEntry)
            throw new LayerException(LayerFault.TooLarge, $"an entry has more than {limits.AttributesPerEntry} extended attributes");
        for (var index = 0; index < _attributeRanges.Count; index++)
        {
            if (!_bytes.AsSpan(_attributeRanges[index].Name).SequenceEqual(nameBytes)) continue;
            _attributeRanges[index] = (name, value);
            return;
        }

        _attributeRanges.Add((name, value));
    }

    private static long? Decimal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return null;
        return TarNumber.TryParseDecimal(text, out var value) ? value : throw BadNumber(key, text);
    }

    private static TarTime? Time(ReadOnlySpan<byte> key, ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return null;
        return TarNumber.TryParseTime(text, out var time) ? time : throw BadNumber(key, text);
    }

    private static LayerException BadNumber(ReadOnlySpan<byte> key, ReadOnlySpan<byte> text) =>
        new(LayerFault.Archive, $"a PAX header's {Printable.Of(key)} is no number: {Printable.Of(text)}");
}
