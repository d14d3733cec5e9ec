using System.Buffers.Binary;
using System.Text;

namespace Gantry.Core.Look.Packages;

/// <summary>rpm's database in any of its three forms, told by its first bytes. All of it is in memory until it was read.</summary>
internal sealed class RpmPackageList(long size, FoundPackages found) : IPackageList
{
    /// <summary>Bounds the memory. Of base images they have some 20 MiB, of a whole desktop 100.</summary>
    public const long MaxBytes = 64 << 20;

    private const int Name = 1000, Version = 1001, Release = 1002, Epoch = 1003, Architecture = 1022;
    private const int NumberType = 4, TextType = 6, IndexBytes = 16;

    /// <summary>rpm itself takes no header with more tags.</summary>
    private const int MaxTags = 65_535;

    private readonly byte[] _database = new byte[size];
    private int _length;

    public FoundPackages Found => found;

    public void Add(ReadOnlySpan<byte> content)
    {
        content.CopyTo(_database.AsSpan(_length));
        _length += content.Length;
    }

    public void Finish()
    {
        var database = _database.AsMemory(0, _length);
        if (_length == 0) return;
        var headers = RpmSqlite.IsOne(database.Span) ? RpmSqlite.Headers(database)
            : RpmNdb.IsOne(database.Span) ? RpmNdb.Headers(database)
            : RpmHash.IsOne(database.Span) ? RpmHash.Headers(database)
            : throw new InvalidDataException("a form of rpm's database that is not read here");
        foreach (var package in headers.Select(Read).OfType<ImagePackage>())
        {
            if (!found.Add(package)) return;
        }
    }

    /// <summary>A header without its magic: how many tags, how many bytes; the tags; the bytes. All numbers big-endian.</summary>
    private static ImagePackage? Read(ReadOnlyMemory<byte> memory)
    {
        var header = memory.Span;
        if (header.Length < 8) return null;
        var (tags, bytes) = (BinaryPrimitives.ReadUInt32BigEndian(header), BinaryPrimitives.ReadUInt32BigEndian(header[4..]));
        if (tags > MaxTags) throw new InvalidDataException("a header of rpm's database has too many tags");
        if (8 + (tags * (long)IndexBytes) + bytes > header.Length) throw new InvalidDataException("a header of rpm's database is cut off");
        var index = header.Slice(8, (int)tags * IndexBytes);
        var data = header.Slice(8 + index.Length, (int)bytes);
        string? name = null, version = null, release = null, epoch = null, architecture = null;
        for (; !index.IsEmpty; index = index[IndexBytes..])
        {
            switch (BinaryPrimitives.ReadInt32BigEndian(index))
            {
                case Name: name = Text(index, data); break;
                case Version: version = Text(index, data); break;
                case Release: release = Text(index, data); break;
                case Epoch: epoch = Text(index, data); break;
                case Architecture: architecture = Text(index, data); break;
            }
        }

        return name is null || version is null ? null
            : new ImagePackage("rpm", name, $"{(epoch is null or "0" ? "" : $"{epoch}:")}{version}{(release is null ? "" : $"-{release}")}", architecture);
    }

    private static string? Text(ReadOnlySpan<byte> tag, ReadOnlySpan<byte> data)
    {
        var (type, offset) = (BinaryPrimitives.ReadInt32BigEndian(tag[4..]), BinaryPrimitives.ReadUInt32BigEndian(tag[8..]));
        if (offset >= data.Length) return null;
        // Many tags may point at one long text: no more of it is looked at than a name has.
        var value = data[(int)offset..];
        if (value.Length > PackageReading.MaxText) value = value[..(PackageReading.MaxText + 1)];
        if (type == NumberType) return value.Length < 4 ? null : $"{BinaryPrimitives.ReadUInt32BigEndian(value)}";
        return type == TextType && value.IndexOf((byte)0) is var end and >= 0 ? Encoding.Latin1.GetString(value[..end]) : null;
    }
}
