namespace Gantry.Layers.Tar;

/// <summary>
/// GNU's three ways to describe a sparse file in PAX records (GNU tar manual, "Storing Sparse Files"): 0.0 has a record per number, 0.1 one record with
/// the map, 1.0 the map before the data.
/// </summary>
internal sealed partial class EntryMeta
{
    private Range? _sparseName;
    private long? _sparseMajor;
    private long? _sparseMinor;
    private long? _sparseCount;
    private long? _sparseOffset;
    private long? _sparseSize;

    /// <summary>Whether records speak of a sparse file.</summary>
    public bool IsSparse { get; private set; }

    /// <summary>The map lies before the data (1.0); otherwise it is in <see cref="SparseMap"/>.</summary>
    public bool HasMapInData => _sparseMajor == 1;

    /// <summary>Filled by records, and by the reader for the forms that keep the map elsewhere.</summary>
    public SparseMap SparseMap { get; } = new(limits);

    /// <summary>The file's size with its holes, once the records are found to make one description.</summary>
    public long CheckedSparseSize()
    {
        var isKnown = (_sparseMajor ?? 0, _sparseMinor ?? 0) is (0, 0) or (0, 1) or (1, 0);
        if (!isKnown) throw new LayerException(LayerFault.Archive, $"a sparse file is of the unknown form {_sparseMajor}.{_sparseMinor}");
        if (_sparseOffset is not null || (!HasMapInData && SparseMap.Count != (_sparseCount ?? 0)))
            throw new LayerException(LayerFault.Archive, "a sparse file's map has not as many numbers as it says");
        return _sparseSize ?? throw new LayerException(LayerFault.Archive, "a sparse file's records do not say its size");
    }

    private void ApplySparse(ReadOnlySpan<byte> key, Range value)
    {
        var text = _bytes.AsSpan(value);
        IsSparse = true;
        if (key.SequenceEqual("name"u8)) _sparseName = text.IsEmpty ? null : value;
        else if (key.SequenceEqual("major"u8)) _sparseMajor = Decimal(key, text);
        else if (key.SequenceEqual("minor"u8)) _sparseMinor = Decimal(key, text);
        else if (key.SequenceEqual("size"u8) || key.SequenceEqual("realsize"u8)) _sparseSize = Decimal(key, text);
        else if (key.SequenceEqual("numblocks"u8)) _sparseCount = Decimal(key, text);
        else if (key.SequenceEqual("map"u8)) ReadMap(text);
        else if (key.SequenceEqual("offset"u8)) _sparseOffset = _sparseOffset is null ? Number(text) : throw BadNumber(key, text);
        else if (key.SequenceEqual("numbytes"u8)) AddPair(text);
    }

    private void AddPair(ReadOnlySpan<byte> length)
    {
        SparseMap.Add(_sparseOffset ?? throw BadNumber("GNU.sparse.numbytes"u8, length), Number(length));
        _sparseOffset = null;
    }

    private void ReadMap(ReadOnlySpan<byte> text)
    {
        SparseMap.Clear();
        if (text.IsEmpty) return;
        var offset = -1L;
        foreach (var part in text.Split((byte)','))
        {
            var number = Number(text[part]);
            if (offset < 0) (offset, number) = (number, -1);
            if (number < 0) continue;
            SparseMap.Add(offset, number);
            offset = -1;
        }

        if (offset >= 0) throw BadNumber("GNU.sparse.map"u8, text);
    }

    private void ClearSparse()
    {
        IsSparse = false;
        _sparseName = null;
        (_sparseMajor, _sparseMinor, _sparseCount, _sparseOffset, _sparseSize) = (null, null, null, null, null);
    }

    private static long Number(ReadOnlySpan<byte> text) =>
        TarNumber.TryParseDecimal(text, out var value) ? value : throw BadNumber("GNU.sparse map"u8, text);
}
