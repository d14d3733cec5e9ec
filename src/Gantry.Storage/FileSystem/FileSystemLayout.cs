using System.Buffers;

namespace Gantry.Storage.FileSystem;

/// <summary>
/// Where the files lie: <c>ROOT/uploads/XX/ID</c> while an upload runs, <c>ROOT/blobs/XX/ID</c> once committed. ID is the
/// session's id in 32 hex digits, XX its last two: the random end of a version 7 UUID, so the folders fill evenly.
/// <para>All folders are made by <see cref="Prepare"/>, so that no commit has to make one durable.</para>
/// </summary>
public sealed class FileSystemLayout
{
    private const string Uploads = "uploads", Blobs = "blobs", OwnerFile = "owner", ProbePrefix = ".probe-";
    private const int IdLength = 32, LocationLength = 5 + 1 + 2 + 1 + IdLength;
    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");
    private readonly string _root;

    private FileSystemLayout(string root) => _root = root;

    /// <summary>Makes what is missing and makes it durable. Any number of processes may do so at once.</summary>
    /// <exception cref="ArgumentException">No root is set.</exception>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be made by this user.</exception>
    public static FileSystemLayout Prepare(FileSystemOptions options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Root);
        var root = Path.GetFullPath(options.Root);
        foreach (var kind in (string[])[Uploads, Blobs])
        {
            for (var shard = 0; shard < 256; shard++) Directory.CreateDirectory(Path.Combine(root, kind, $"{shard:x2}"));
            PosixFile.SyncDirectory(Path.Combine(root, kind));
        }

        PosixFile.SyncDirectory(root);
        if (Path.GetDirectoryName(root) is { } parent) PosixFile.SyncDirectory(parent);

        // Left by a process that was killed while it probed.
        foreach (var probe in Directory.EnumerateFiles(Path.Combine(root, Uploads), ProbePrefix + "*"))
            PosixFile.Remove(probe);
        return new FileSystemLayout(root);
    }

    internal static BlobLocation LocationOf(Guid sessionId)
    {
        var id = sessionId.ToString("N");
        return new BlobLocation($"{Blobs}/{id.AsSpan(IdLength - 2)}/{id}");
    }

    internal string StagingPath(Guid sessionId)
    {
        var id = sessionId.ToString("N");
        return Path.Combine(_root, Uploads, id[^2..], id);
    }

    /// <summary>Locations come from the database, yet none may reach a path unless it has our own shape.</summary>
    /// <exception cref="ArgumentException">It was not made by <see cref="LocationOf"/>.</exception>
    internal string PathOf(BlobLocation location)
    {
        var value = location.Value ?? "";
        var id = value.AsSpan(Math.Max(0, value.Length - IdLength));
        var ours = value.Length == LocationLength
            && !id.ContainsAnyExcept(LowerHex)
            && value.AsSpan().StartsWith($"{Blobs}/{id[^2..]}/", StringComparison.Ordinal);
        if (!ours) throw new ArgumentException("not a location of this store", nameof(location));
        return Path.Combine(_root, value);
    }

    /// <summary>Stagings and committed blobs of one shard, read from the folders as they are asked for.</summary>
    internal IEnumerable<StoredItem> List(byte shard)
    {
        foreach (var kind in (string[])[Uploads, Blobs])
        {
            foreach (var file in new DirectoryInfo(Path.Combine(_root, kind, $"{shard:x2}")).EnumerateFiles())
            {
                if (file.Name.AsSpan().ContainsAnyExcept(LowerHex) || !Guid.TryParseExact(file.Name, "N", out var id)) continue;

                // A file may go, by a commit or a removal, between its name and its length.
                file.Refresh();
                if (file.Exists) yield return new StoredItem(id, kind == Blobs ? LocationOf(id) : null, file.Length);
            }
        }
    }

    /// <summary>What ROOT/owner says; made, whole, by the first that asks.</summary>
    internal Guid Owner(Guid asking)
    {
        var path = Path.Combine(_root, OwnerFile);
        if (!File.Exists(path))
        {
            var draft = ProbePath();
            File.WriteAllText(draft, $"{asking}\n");
            try
            {
                File.Move(draft, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                PosixFile.Remove(draft); // another asked at the same time
            }

            PosixFile.SyncDirectory(_root);
        }

        var text = File.ReadAllText(path).Trim();
        return Guid.TryParse(text, out var owner) ? owner : throw new IOException($"{path} does not hold the id of a registry");
    }

    internal string ProbePath() => Path.Combine(_root, Uploads, $"{ProbePrefix}{Guid.NewGuid():N}");

    internal static string DirectoryOf(string path) => Path.GetDirectoryName(path)!;
}
