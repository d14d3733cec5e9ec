using Gantry.Layers;

namespace Gantry.Core.Look;

/// <summary>
/// Where something is in an image: bytes, names joined by slashes, none at either end. The root is empty. Never <c>..</c>, NUL, or longer than Linux has it.
/// </summary>
public readonly struct ImagePath : IEquatable<ImagePath>
{
    private readonly byte[]? _bytes;

    internal ImagePath(byte[] bytes) => _bytes = bytes;

    public ReadOnlySpan<byte> Bytes => _bytes;

    public bool IsRoot => Bytes.IsEmpty;

    /// <summary>The last name; empty for the root.</summary>
    public ReadOnlySpan<byte> Name => Bytes[(Bytes.LastIndexOf((byte)'/') + 1)..];

    /// <summary>The directory that it is in; the root's is the root.</summary>
    public ImagePath Parent => new(Bytes[..Math.Max(0, Bytes.LastIndexOf((byte)'/'))].ToArray());

    public static bool operator ==(ImagePath left, ImagePath right) => left.Equals(right);

    public static bool operator !=(ImagePath left, ImagePath right) => !left.Equals(right);

    /// <summary>Reads what <see cref="ToString"/> wrote, or what a person did: slashes at the ends and doubled ones say nothing, nor does ".".</summary>
    public static bool TryParse(string? text, out ImagePath path)
    {
        path = default;
        return text is not null && ByteText.TryRead(text, out var bytes) && TryCreate(bytes, out path);
    }

    /// <summary>The same of bytes.</summary>
    public static bool TryCreate(ReadOnlySpan<byte> bytes, out ImagePath path)
    {
        path = default;
        if (bytes.Contains((byte)0)) return false;
        var whole = new List<byte>(Math.Min(bytes.Length, EntryName.MaxPath));
        foreach (var range in bytes.Split((byte)'/'))
        {
            var name = bytes[range];
            if (name.IsEmpty || name.SequenceEqual("."u8)) continue;
            if (name.SequenceEqual(".."u8) || name.Length > EntryName.MaxComponent || whole.Count + name.Length >= EntryName.MaxPath) return false;
            if (whole.Count > 0) whole.Add((byte)'/');
            whole.AddRange(name);
        }

        path = new ImagePath([.. whole]);
        return true;
    }

    public bool Equals(ImagePath other) => Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => obj is ImagePath other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <summary>For people, and to be read back; see <see cref="ByteText"/>.</summary>
    public override string ToString() => ByteText.Of(Bytes);

    internal ImagePath Below(ReadOnlySpan<byte> name) => new(IsRoot ? name.ToArray() : [.. Bytes, (byte)'/', .. name]);
}
