using System.Globalization;
using System.Text;

namespace Gantry.TestKit.Tar;

/// <summary>Bytes for a field of an archive: text as UTF-8, or whatever bytes a test wants there.</summary>
public readonly struct FieldBytes(byte[] bytes)
{
    public ReadOnlySpan<byte> Span => bytes;

    public int Length => Span.Length;

    public static implicit operator FieldBytes(string text) => new(Encoding.UTF8.GetBytes(text));

    public static implicit operator FieldBytes(byte[] bytes) => new(bytes);
}

/// <summary>
/// An archive put together byte by byte, without a tar library between the test and the reader: each field can be wrong on purpose. Every entry takes a last
/// word on its header, after the defaults and before the checksum. Nothing ends the archive but <see cref="End"/>.
/// <code>new TarBytes().Pax(("path", "a/b")).File("short", "content", header => header.Uid(1000)).End().ToArray()</code>
/// </summary>
public sealed partial class TarBytes
{
    private readonly List<byte> _bytes = [];

    public int Length => _bytes.Count;

    public byte[] ToArray() => _bytes.ToArray();

    public Stream ToStream() => new MemoryStream(ToArray(), writable: false);

    public TarBytes File(FieldBytes name, FieldBytes content = default, Action<TarHeaderBytes>? change = null) => Entry('0', name, content, change);

    public TarBytes Directory(FieldBytes name, Action<TarHeaderBytes>? change = null) =>
        Entry('5', name, default, header => (change ?? (_ => { }))(header.Mode(0b111_101_101)));

    public TarBytes SymbolicLink(FieldBytes name, FieldBytes target, Action<TarHeaderBytes>? change = null) =>
        Entry('2', name, default, header => (change ?? (_ => { }))(header.LinkName(target)));

    public TarBytes HardLink(FieldBytes name, FieldBytes target, Action<TarHeaderBytes>? change = null) =>
        Entry('1', name, default, header => (change ?? (_ => { }))(header.LinkName(target)));

    public TarBytes Device(char type, FieldBytes name, long major, long minor, Action<TarHeaderBytes>? change = null) =>
        Entry(type, name, default, header => (change ?? (_ => { }))(header.Device(major, minor)));

    public TarBytes Fifo(FieldBytes name, Action<TarHeaderBytes>? change = null) => Entry('6', name, default, change);

    /// <summary>Any entry: its header, the content, the padding to a block.</summary>
    public TarBytes Entry(char type, FieldBytes name, FieldBytes content = default, Action<TarHeaderBytes>? change = null)
    {
        var header = new TarHeaderBytes().Type(type).Name(name).Size(content.Length);
        change?.Invoke(header);
        return Raw(header.ToArray()).Raw(content).Pad();
    }

    /// <summary>A header alone; what belongs to it follows as <see cref="Raw"/>.</summary>
    public TarBytes Header(Action<TarHeaderBytes> change)
    {
        var header = new TarHeaderBytes();
        change(header);
        return Raw(header.ToArray());
    }

    /// <summary>A PAX header for the next entry, its records well-formed.</summary>
    public TarBytes Pax(params ReadOnlySpan<(FieldBytes Key, FieldBytes Value)> records) => PaxRaw(Records(records));

    /// <summary>A PAX header with any payload.</summary>
    public TarBytes PaxRaw(FieldBytes payload, Action<TarHeaderBytes>? change = null) => Entry('x', "PaxHeaders/x", payload, change);

    public TarBytes Global(params ReadOnlySpan<(FieldBytes Key, FieldBytes Value)> records) => Entry('g', "pax_global_header", Records(records));

    /// <summary>GNU's 'L' for the next entry, with the NUL that ends it.</summary>
    public TarBytes LongName(FieldBytes name) => Entry('L', "././@LongLink", (byte[])[.. name.Span, 0]);

    /// <summary>GNU's 'K'.</summary>
    public TarBytes LongLink(FieldBytes target) => Entry('K', "././@LongLink", (byte[])[.. target.Span, 0]);

    public TarBytes Raw(FieldBytes bytes)
    {
        _bytes.AddRange(bytes.Span);
        return this;
    }

    public TarBytes Zeros(int count) => Raw(new byte[count]);

    /// <summary>Zeros to the end of the block.</summary>
    public TarBytes Pad() => Zeros(-_bytes.Count & 511);

    /// <summary>The two blocks of zeros.</summary>
    public TarBytes End() => Zeros(1024);

    /// <summary>PAX records as bytes, each with its own right length.</summary>
    public static byte[] Records(ReadOnlySpan<(FieldBytes Key, FieldBytes Value)> records)
    {
        var payload = new MemoryStream();
        foreach (var (key, value) in records)
        {
            // The length counts its own digits.
            var rest = key.Length + value.Length + 3;
            var length = rest + 1;
            while (rest + length.ToString(CultureInfo.InvariantCulture).Length != length) length++;
            payload.Write([.. Encoding.ASCII.GetBytes($"{length} "), .. key.Span, (byte)'=', .. value.Span, (byte)'\n']);
        }

        return payload.ToArray();
    }
}
