using System.Buffers;
using System.Globalization;
using System.Text;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Archives;

/// <summary>What one entry's header says. Names and values are bytes, as on the disk.</summary>
internal readonly record struct TarHeaderValues
{
    /// <summary>As in the archive; a directory's ends in a slash.</summary>
    public required ReadOnlyMemory<byte> Name { get; init; }

    public required TarEntryType Type { get; init; }

    public ReadOnlyMemory<byte> LinkName { get; init; }

    public uint Mode { get; init; }

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    public long Size { get; init; }

    public TarTime Modified { get; init; }

    public uint DeviceMajor { get; init; }

    public uint DeviceMinor { get; init; }

    public IReadOnlyList<(byte[] Name, byte[] Value)>? Attributes { get; init; }
}

/// <summary>
/// Writes an archive that every tar reads: ustar, and a PAX header in front where that cannot say it (long names, bytes that are not ASCII, large numbers, parts
/// of a second, attributes). Entries without names of users: only numbers mean the same everywhere. The stream is the caller's.
/// </summary>
internal sealed class TarWriter(Stream output)
{
    public const int Block = 512;
    private const long MaxOctal7 = 0x1FFFFF, MaxOctal11 = 0x1FFFFFFFF;

    private static readonly byte[] Zeros = new byte[2 * Block];
    private readonly byte[] _header = new byte[Block];
    private readonly ArrayBufferWriter<byte> _records = new();
    private int _padding;

    /// <summary>Begins an entry. As many bytes as its size says have to follow by <see cref="Write"/> before the next one.</summary>
    public void Begin(in TarHeaderValues entry)
    {
        EndContent();
        _records.ResetWrittenCount();
        var fitsName = TrySplit(entry.Name.Span, out var prefix);
        if (!fitsName) Record("path"u8, entry.Name.Span);
        if (!IsPlain(entry.LinkName.Span, 100)) Record("linkpath"u8, entry.LinkName.Span);
        if (entry.Uid > MaxOctal7) Record("uid"u8, entry.Uid);
        if (entry.Gid > MaxOctal7) Record("gid"u8, entry.Gid);
        if (entry.Size > MaxOctal11) Record("size"u8, entry.Size);
        if (entry.Modified.Seconds is < 0 or > MaxOctal11 || entry.Modified.Nanoseconds != 0) Record("mtime"u8, Encoding.ASCII.GetBytes(Decimal(entry.Modified)));
        foreach (var (name, value) in entry.Attributes ?? []) Record([.. "SCHILY.xattr."u8, .. name], value);

        if (_records.WrittenCount > 0)
        {
            Header(new TarHeaderValues { Name = "PaxHeaders/entry"u8.ToArray(), Type = TarEntryType.RegularFile, Mode = 0x1A4, Size = _records.WrittenCount }, 'x', 0);
            output.Write(_records.WrittenSpan);
            Pad(_records.WrittenCount);
        }

        Header(entry, Letter(entry.Type), fitsName ? prefix : 0);
        _padding = (int)(-entry.Size & (Block - 1));
    }

    public void Write(ReadOnlySpan<byte> content) => output.Write(content);

    /// <summary>Two blocks of zeros; the stream is not flushed.</summary>
    public void End()
    {
        EndContent();
        output.Write(Zeros);
    }

    private void EndContent()
    {
        output.Write(Zeros.AsSpan(0, _padding));
        _padding = 0;
    }

    private void Pad(long size) => output.Write(Zeros.AsSpan(0, (int)(-size & (Block - 1))));

    private void Header(in TarHeaderValues entry, char type, int prefix)
    {
        _header.AsSpan().Clear();
        var name = entry.Name.Span;
        if (prefix > 0) name[..prefix].CopyTo(_header.AsSpan(345));
        var rest = prefix > 0 ? name[(prefix + 1)..] : name;
        rest[..Math.Min(rest.Length, 100)].CopyTo(_header);
        Octal(100, 8, entry.Mode);
        Octal(108, 8, entry.Uid > MaxOctal7 ? 0 : entry.Uid);
        Octal(116, 8, entry.Gid > MaxOctal7 ? 0 : entry.Gid);
        Octal(124, 12, entry.Size > MaxOctal11 ? 0 : entry.Size);
        Octal(136, 12, entry.Modified.Seconds is < 0 or > MaxOctal11 ? 0 : entry.Modified.Seconds);
        _header[156] = (byte)type;
        entry.LinkName.Span[..Math.Min(entry.LinkName.Length, 100)].CopyTo(_header.AsSpan(157));
        "ustar"u8.CopyTo(_header.AsSpan(257)); // a NUL, then the version
        "00"u8.CopyTo(_header.AsSpan(263));
        Octal(329, 8, entry.DeviceMajor);
        Octal(337, 8, entry.DeviceMinor);

        _header.AsSpan(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var value in _header) sum += value;
        Octal(148, 7, sum);
        output.Write(_header);
    }

    private void Octal(int at, int width, long value)
    {
        for (var i = at + width - 2; i >= at; i--, value >>= 3) _header[i] = (byte)('0' + (value & 7));
        _header[at + width - 1] = 0;
    }

    private void Record(ReadOnlySpan<byte> key, long value) => Record(key, Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));

    private void Record(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        // A record's length counts its own digits.
        var rest = key.Length + value.Length + 3;
        var length = rest + 1;
        while (rest + Digits(length) != length) length++;
        _records.Write(Encoding.ASCII.GetBytes($"{length} "));
        _records.Write(key);
        _records.Write("="u8);
        _records.Write(value);
        _records.Write("\n"u8);
    }

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;

    /// <summary>At a slash, so that 155 bytes are before it and 100 behind it. False where a PAX header has to say it.</summary>
    private static bool TrySplit(ReadOnlySpan<byte> name, out int prefix)
    {
        prefix = 0;
        if (!IsPlain(name, 256)) return false;
        if (name.Length <= 100) return true;
        var slash = name[..^1][..Math.Min(name.Length - 1, 156)].LastIndexOf((byte)'/');
        prefix = slash;
        return slash > 0 && name.Length - slash - 1 <= 100;
    }

    private static bool IsPlain(ReadOnlySpan<byte> text, int max) => text.Length <= max && Ascii.IsValid(text);

    private static string Decimal(TarTime time)
    {
        // Nanoseconds count forward from the second, the sign is for the whole.
        if (time.Seconds < 0 && time.Nanoseconds > 0)
            return string.Create(CultureInfo.InvariantCulture, $"-{-(time.Seconds + 1)}.{1_000_000_000 - time.Nanoseconds:d9}");
        return time.Nanoseconds == 0
            ? time.Seconds.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{time.Seconds}.{time.Nanoseconds:d9}");
    }

    private static char Letter(TarEntryType type) => type switch
    {
        TarEntryType.HardLink => '1',
        TarEntryType.SymbolicLink => '2',
        TarEntryType.CharacterDevice => '3',
        TarEntryType.BlockDevice => '4',
        TarEntryType.Directory => '5',
        TarEntryType.Fifo => '6',
        _ => '0',
    };
}
