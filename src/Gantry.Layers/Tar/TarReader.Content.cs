namespace Gantry.Layers.Tar;

/// <summary>The current entry's bytes: one stretch, or the stretches of a sparse file.</summary>
public sealed partial class TarReader
{
    private const int OldMapInHeader = 386;
    private const int OldRegionsInHeader = 4;
    private const int OldRegionsInBlock = 21;
    private const int OldRegionSize = 24;

    private long _stored;
    private int _padding;
    private bool _isSparse;
    private int _region;
    private long _pieceOffset;
    private long _pieceLeft;

    /// <summary>
    /// The next bytes of the current entry's content and where in the file they belong. Holes of a sparse file are not given: bytes that are in no piece
    /// are zeros, up to <see cref="TarEntry.Size"/>. 0 at the end of the content, and of what has none.
    /// </summary>
    public int Read(Span<byte> buffer, out long offset)
    {
        if (_pieceLeft == 0 && _isSparse && _region < _meta.SparseMap.Regions.Length)
        {
            var region = _meta.SparseMap.Regions[_region++];
            (_pieceOffset, _pieceLeft) = (region.Offset, region.Length);
        }

        offset = _pieceOffset;
        if (_pieceLeft == 0 || buffer.IsEmpty) return 0;
        var read = _input.Read(buffer.Length > _pieceLeft ? buffer[..(int)_pieceLeft] : buffer);
        if (read == 0) throw Truncated();
        _pieceOffset += read;
        _pieceLeft -= read;
        _stored -= read;
        return read;
    }

    private void StartContent(TarHeader header)
    {
        _stored = _meta.Size ?? Number(header.ContentSize, "the size", long.MaxValue);
        _padding = PaddingOf(_stored);
        _isSparse = true;
        if (header.Type == 'S') _entry.Size = ReadOldMap(header);
        else if (_meta.IsSparse) _entry.Size = ReadMap();
        else (_isSparse, _entry.Size, _pieceOffset, _pieceLeft) = (false, _stored, 0, _stored);
        if (!_isSparse) return;
        _meta.SparseMap.Check(_entry.Size, _stored);
        (_region, _pieceOffset, _pieceLeft) = (0, 0, 0);
    }

    private void SkipContent()
    {
        if (_input.Skip(_stored) < _stored) throw Truncated();

        // Writers that stop right behind the last byte are forgiven; the next header is then the end of the stream.
        _input.Skip(_padding);
        (_stored, _padding, _isSparse, _pieceOffset, _pieceLeft) = (0, 0, false, 0, 0);
    }

    /// <summary>GNU's old form: four pieces in the header, the rest in blocks behind it that the size does not count.</summary>
    private long ReadOldMap(TarHeader header)
    {
        // star has the same type letter for another layout.
        if (!header.IsGnu || _meta.IsSparse) throw Bad("sparse in a form that is not GNU's");
        AddOldRegions(_header.AsSpan(OldMapInHeader), OldRegionsInHeader);
        var places = OldRegionsInHeader;
        for (var isContinued = _header[482] != 0; isContinued;)
        {
            // Counted by their room, not their content: a chain of empty blocks would never end.
            var block = _input.Peek(TarHeader.Size);
            if (block.Length < TarHeader.Size) throw Truncated();
            if ((places += OldRegionsInBlock) > _limits.SparseRegions) throw Bad("too many pieces of a sparse file", LayerFault.TooLarge);
            AddOldRegions(block, OldRegionsInBlock);
            isContinued = block[OldRegionsInBlock * OldRegionSize] != 0;
            _input.Take(TarHeader.Size);
        }

        return Number(_header.AsSpan(483, 12), "the size with holes", long.MaxValue);
    }

    private void AddOldRegions(ReadOnlySpan<byte> pairs, int count)
    {
        for (; count > 0 && pairs[0] != 0; count--, pairs = pairs[OldRegionSize..])
            _meta.SparseMap.Add(Number(pairs[..12], "a sparse offset", long.MaxValue), Number(pairs.Slice(12, 12), "a sparse length", long.MaxValue));
    }

    private long ReadMap()
    {
        var size = _meta.CheckedSparseSize();
        if (!_meta.HasMapInData) return size;

        // 1.0: decimal numbers, a line each, how many pairs first; then zeros to the end of the block. All of it is part of the stored size.
        var start = _input.Position;
        for (var pairs = ReadLine(); pairs > 0; pairs--) _meta.SparseMap.Add(ReadLine(), ReadLine());
        var rest = PaddingOf(_input.Position - start);
        if (rest > _stored || _input.Skip(rest) < rest) throw Truncated();
        _stored -= rest;
        return size;
    }

    private long ReadLine()
    {
        Span<byte> digits = stackalloc byte[20];
        for (var length = 0; _stored > 0 && length < digits.Length; length++)
        {
            if (_input.Read(digits.Slice(length, 1)) == 0) throw Truncated();
            _stored--;
            if (digits[length] != '\n') continue;
            return TarNumber.TryParseDecimal(digits[..length], out var value) ? value : throw Bad("a sparse file's map is no list of numbers");
        }

        throw Bad("a sparse file's map does not end");
    }

    private LayerException Truncated() => Bad("the archive ends within its content");
}
