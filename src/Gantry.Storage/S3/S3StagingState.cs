using System.Text;

namespace Gantry.Storage.S3;

/// <summary>The multipart upload that the parts belong to; its key ends in <paramref name="Suffix"/>.</summary>
internal sealed record Multipart(uint Suffix, string UploadId);

/// <summary>A part that S3 has. Its number is its place in the list, from 1.</summary>
internal readonly record struct Part(long Bytes, string ETag);

/// <summary>An object that waits to become a part, or part of one; it is named by where it begins and by its suffix.</summary>
internal readonly record struct Piece(long Offset, int Bytes, uint Suffix);

/// <summary>
/// What the session row keeps of an upload: <see cref="StagingState.Backend"/>. Parts first, then pieces, without a gap.
/// Saved in a few bytes each: a state is written with every chunk.
/// </summary>
/// <param name="Spent">Pieces that became a part: no state names them any more, so the next checkpoint removes them.</param>
internal sealed record S3StagingState(Multipart? Multipart, IReadOnlyList<Part> Parts, IReadOnlyList<Piece> Pieces, IReadOnlyList<Piece> Spent)
{
    private const byte FormatVersion = 1;
    private const int HashedETagLength = 34;

    public static readonly S3StagingState Empty = new(null, [], [], []);

    public long Length => Parts.Sum(part => part.Bytes) + Pieces.Sum(piece => (long)piece.Bytes);

    public byte[]? Save()
    {
        if (Multipart is null && Pieces.Count == 0 && Spent.Count == 0) return null;
        using var bytes = new MemoryStream();
        using var to = new BinaryWriter(bytes, Encoding.UTF8);
        to.Write(FormatVersion);
        to.Write(Multipart?.UploadId ?? "");
        to.Write(Multipart?.Suffix ?? 0);
        to.Write7BitEncodedInt(Parts.Count);
        foreach (var part in Parts)
        {
            to.Write7BitEncodedInt64(part.Bytes);
            WriteETag(to, part.ETag);
        }

        foreach (var list in (IReadOnlyList<Piece>[])[Pieces, Spent])
        {
            to.Write7BitEncodedInt(list.Count);
            foreach (var piece in list)
            {
                to.Write7BitEncodedInt64(piece.Offset);
                to.Write7BitEncodedInt(piece.Bytes);
                to.Write(piece.Suffix);
            }
        }

        return bytes.ToArray();
    }

    /// <summary>Null where it was not written by <see cref="Save"/>: another backend's, another version's, damaged.</summary>
    public static S3StagingState? Parse(byte[]? saved)
    {
        if (saved is null) return Empty;
        try
        {
            using var from = new BinaryReader(new MemoryStream(saved, writable: false), Encoding.UTF8);
            if (from.ReadByte() != FormatVersion) return null;
            var (uploadId, suffix) = (from.ReadString(), from.ReadUInt32());
            var parts = new List<Part>();
            for (var left = from.Read7BitEncodedInt(); left > 0; left--)
                parts.Add(new Part(from.Read7BitEncodedInt64(), ReadETag(from)));
            var (pieces, spent) = (ReadPieces(from), ReadPieces(from));
            return from.BaseStream.Position == saved.Length
                ? new S3StagingState(uploadId.Length == 0 ? null : new Multipart(suffix, uploadId), parts, pieces, spent) : null;
        }
        catch (Exception damage) when (damage is EndOfStreamException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private static List<Piece> ReadPieces(BinaryReader from)
    {
        var pieces = new List<Piece>();
        for (var left = from.Read7BitEncodedInt(); left > 0; left--)
            pieces.Add(new Piece(from.Read7BitEncodedInt64(), from.Read7BitEncodedInt(), from.ReadUInt32()));
        return pieces;
    }

    // Nearly always an MD5 in hex and quotes: half of it is enough.
    private static void WriteETag(BinaryWriter to, string tag)
    {
        var hash = Hash(tag);
        to.Write(hash is null ? tag : "");
        if (hash is not null) to.Write(hash);
    }

    private static string ReadETag(BinaryReader from)
    {
        var text = from.ReadString();
        return text.Length > 0 ? text : $"\"{Convert.ToHexStringLower(from.ReadBytes(16))}\"";
    }

    private static byte[]? Hash(string tag) =>
        tag.Length == HashedETagLength && tag[0] == '"' && tag[^1] == '"' && tag[1..^1].All(char.IsAsciiHexDigitLower)
            ? Convert.FromHexString(tag[1..^1]) : null;
}
