using System.Buffers.Binary;

namespace Gantry.Core.Look.Listings;

/// <summary>
/// What entries are sorted by: the directory with NUL for each slash, two NULs, the name. No name holds a NUL, so the order is that of a walk through the tree, a
/// directory's own names all next to each other and before those of the directories in it. The root's own key is empty.
/// </summary>
internal static class EntryKey
{
    /// <summary>An entry of PostgreSQL's index has 2,704 bytes at most, two paths in a page's key may have the same first 4,000.</summary>
    private const int StoredBytes = 2000;

    public static byte[] Of(ReadOnlySpan<byte> directory, ReadOnlySpan<byte> name)
    {
        var key = new byte[directory.Length + 2 + name.Length];
        directory.Replace(key, (byte)'/', (byte)0);
        name.CopyTo(key.AsSpan(directory.Length + 2));
        return key;
    }

    public static byte[] Of(ImagePath path) => path.IsRoot ? [] : Of(path.Parent.Bytes, path.Name);

    public static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> key) => key.IsEmpty ? key : key[(key.IndexOf("\0\0"u8) + 2)..];

    public static ImagePath PathOf(ReadOnlySpan<byte> key)
    {
        if (key.IsEmpty) return default;
        var end = key.IndexOf("\0\0"u8);
        var path = end == 0 ? key[2..].ToArray() : [.. key[..end], 0, .. key[(end + 2)..]];
        path.AsSpan().Replace((byte)0, (byte)'/');
        return new ImagePath(path);
    }

    /// <summary>As the page that starts with it is stored: cut where it is long, and then told apart by the page's number. Keeps the order.</summary>
    public static byte[] Stored(byte[] key, int page) => key.Length <= StoredBytes ? key : Numbered(key, page);

    /// <summary>No page that starts behind this one has the key. The last one that does not may still start behind it, if the key was cut; then one before it has it.</summary>
    public static byte[] Sought(byte[] key) => key.Length <= StoredBytes ? key : Numbered(key, int.MaxValue);

    /// <summary>Between the pages of a key that is cut: not behind the page with this number, and behind those with lower ones.</summary>
    public static byte[] Numbered(byte[] key, int page)
    {
        var numbered = new byte[StoredBytes + sizeof(int)];
        key.AsSpan(0, StoredBytes).CopyTo(numbered);
        BinaryPrimitives.WriteInt32BigEndian(numbered.AsSpan(StoredBytes), page);
        return numbered;
    }

    /// <summary>The number in a key that was cut.</summary>
    public static int NumberOf(byte[] stored) => BinaryPrimitives.ReadInt32BigEndian(stored.AsSpan(StoredBytes));
}
