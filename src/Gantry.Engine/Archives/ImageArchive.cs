using Gantry.Engine.Content;
using Gantry.Engine.Images;
using Gantry.Oci;

namespace Gantry.Engine.Archives;

/// <summary>An image of an archive or layout.</summary>
/// <param name="Name">What it is called there, as it stands there: a whole name, a tag alone, or null.</param>
/// <param name="Reference">Of its manifest or index.</param>
public sealed record ArchivedImage(string? Name, ContentReference Reference);

/// <summary>
/// Images outside the store, whatever form they have: an OCI layout in a folder, the same as one tar (oci-archive), or what <c>docker save</c> writes. Nothing that is
/// read is trusted: each document and blob is what its descriptor says, or an error. For several readers at a time.
/// </summary>
public sealed class ImageArchive : IDisposable
{
    private readonly IArchiveFiles _files;
    private readonly Dictionary<Digest, string> _names;
    private readonly Dictionary<Digest, byte[]> _made;

    internal ImageArchive(IArchiveFiles files, IReadOnlyList<ArchivedImage> images, Dictionary<Digest, string> names, Dictionary<Digest, byte[]> made) =>
        (_files, Images, _names, _made) = (files, images, names, made);

    public IReadOnlyList<ArchivedImage> Images { get; }

    /// <param name="path">A folder or a file.</param>
    /// <exception cref="EngineException">NotFound, InvalidDocument, TooLarge, Unsupported.</exception>
    public static ImageArchive Open(string path, CancellationToken ct)
    {
        if (Directory.Exists(path)) return Open(new FolderFiles(path), ct);
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            return Open(file, ct);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new EngineException(EngineFault.NotFound, $"there is no {path}", fault);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new EngineException(EngineFault.Local, $"{path}: {fault.Message}", fault);
        }
    }

    /// <param name="archive">A tar, compressed or not, read to its end; the caller's.</param>
    /// <param name="ct">Ends the reading.</param>
    public static ImageArchive Open(Stream archive, CancellationToken ct) => Open(TarFiles.Open(archive, ct), ct);

    /// <summary>A manifest or index of it, checked.</summary>
    public ImageDocument ReadDocument(ContentReference reference)
    {
        if (reference.Size > ManifestDocument.MaxBytes)
            throw new EngineException(EngineFault.TooLarge, $"the manifest {reference.Digest} has {reference.Size} bytes, the limit is {ManifestDocument.MaxBytes}");
        return ImageDocument.Read(ReadSmall(reference), reference.Digest, reference.Descriptor.MediaType);
    }

    public ImageConfig ReadConfig(ContentReference reference)
    {
        ImageConfigReader.RequireSize(reference.Size);
        return ImageConfigReader.Read(ReadSmall(reference));
    }

    /// <summary>Exactly the bytes that the descriptor says from <paramref name="from"/> on; whoever reads from 0 to the end is told where they do not match the digest.</summary>
    public Stream OpenBlob(ContentReference blob, long from = 0)
    {
        var stream = OpenUnchecked(blob) ?? throw new EngineException(EngineFault.NotFound, $"{blob.Digest} is not in the archive");
        var check = new CheckedStream(stream, blob.Descriptor);
        if (from > 0) check.Skip(from);
        return check;
    }

    /// <summary>Whether it has the blob's file.</summary>
    public bool Has(ContentReference blob)
    {
        using var stream = OpenUnchecked(blob);
        return stream is not null;
    }

    public void Dispose() => _files.Dispose();

    internal byte[] ReadSmall(ContentReference reference)
    {
        if (reference.Data is { } data) return data.ToArray();
        using var stream = OpenBlob(reference);
        var content = new byte[reference.Size];
        stream.ReadExactly(content);
        if (stream.ReadByte() >= 0) throw new InvalidOperationException("a checked stream is longer than it says");
        return content;
    }

    private static ImageArchive Open(IArchiveFiles files, CancellationToken ct)
    {
        try
        {
            return LayoutReader.TryOpen(files) ?? DockerArchiveReader.TryOpen(files, ct)
                ?? throw new EngineException(EngineFault.InvalidDocument, "this is no OCI layout (it has no index.json) and no docker archive (no manifest.json)");
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    private Stream? OpenUnchecked(ContentReference blob) =>
        blob.Data is { } data ? new MemoryStream(data.ToArray(), writable: false)
        : _made.TryGetValue(blob.Digest, out var bytes) ? new MemoryStream(bytes, writable: false)
        : _files.Open(_names.GetValueOrDefault(blob.Digest) ?? $"blobs/{blob.Digest.Algorithm.Name()}/{blob.Digest.Hex}");
}
