namespace Gantry.Layers.Tar;

/// <summary>
/// Reads the archive of a layer from a stream, entry by entry, in the forms that image builders write: V7, ustar, PAX, GNU with long names, and sparse files
/// of every form. Names and attributes are bytes from end to end. What is malformed is refused with a <see cref="LayerException"/>, after which the
/// reader must not be used any more; what is allowed and what is not stands in this project's README.
/// <para>
/// Memory is one buffer of 64 KiB and what <see cref="TarLimits"/> allows for one entry. The stream is read in order, never sought and not disposed.
/// For one thread at a time.
/// </para>
/// </summary>
public sealed partial class TarReader(Stream tar, TarLimits? limits = null) : IDisposable
{
    private readonly TarLimits _limits = limits ?? TarLimits.Default;
    private readonly TarInput _input = new(tar);
    private readonly EntryMeta _meta = new(limits ?? TarLimits.Default);
    private readonly TarEntry _entry = new();
    private readonly byte[] _header = new byte[TarHeader.Size];
    private readonly byte[] _prefixedName = new byte[256];
    private long _entryPosition;
    private bool _isAtEnd;

    /// <summary>The current entry: valid after <see cref="Next"/> returned true and until it is called again.</summary>
    public TarEntry Entry => _entry;

    /// <summary>Whether bytes other than zeros lie behind the end of the archive; known after <see cref="Drain"/>. They are ignored, as tar does.</summary>
    public bool HasTrailingData { get; private set; }

    /// <summary>
    /// Goes to the next entry, over what is left of the current one. False at the end: two blocks of zeros, or the end of the stream where a header
    /// would start.
    /// </summary>
    public bool Next()
    {
        if (_isAtEnd) return false;
        SkipContent();
        _meta.Clear();
        while (!IsEnd())
        {
            var header = new TarHeader(_input.Peek(TarHeader.Size));
            if (!header.HasValidChecksum) throw Bad("the checksum is wrong");
            if (header.Type is not ((byte)'x' or (byte)'g' or (byte)'L' or (byte)'K'))
            {
                ReadEntry();
                return true;
            }

            var (type, size) = (header.Type, Number(header.ContentSize, "the size", long.MaxValue));
            _input.Take(TarHeader.Size);
            _meta.Read(_input, type, size);
        }

        if (_meta.IsPending) throw Bad("the archive ends after a long name or PAX header");
        _isAtEnd = true;
        return false;
    }

    /// <summary>Reads the rest of the stream without looking at it as an archive: it is part of the layer's diffID.</summary>
    public void Drain()
    {
        _isAtEnd = true;
        HasTrailingData |= _input.SkipToEnd();
    }

    /// <summary>Gives the buffer back; the stream is the caller's.</summary>
    public void Dispose() => _input.Dispose();

    internal static int PaddingOf(long size) => (int)(-size & (TarHeader.Size - 1));

    private bool IsEnd()
    {
        _entryPosition = _input.Position;
        var block = _input.Peek(TarHeader.Size);
        if (block.IsEmpty) return true;
        if (block.Length < TarHeader.Size) throw Bad("the archive ends within it");
        if (block[0] != 0 || !new TarHeader(block).IsZero) return false;

        // One block of zeros and then the end of the stream is how some writers stop; one block and then more is a hole that readers disagree about.
        var both = _input.Peek(2 * TarHeader.Size);
        if (both.Length is not (TarHeader.Size or (2 * TarHeader.Size)) || both.ContainsAnyExcept((byte)0))
            throw Bad("one block of zeros does not end an archive");
        _input.Take(both.Length);
        return true;
    }

    private LayerException Bad(string what, LayerFault fault = LayerFault.Archive) => new(fault, $"the header at byte {_entryPosition}: {what}");
}
