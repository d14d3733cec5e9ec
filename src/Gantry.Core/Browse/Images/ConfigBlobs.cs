using System.IO.Pipelines;
using Gantry.Storage;

namespace Gantry.Core.Browse;

/// <summary>Reads config blobs whole, which are small or not read.</summary>
public sealed class ConfigBlobs(IBlobStore store)
{
    /// <summary>Null: nothing lies there, or more than <see cref="ImageConfigReader.MaxBytes"/>.</summary>
    /// <exception cref="IOException">The store does not answer.</exception>
    public async Task<byte[]?> ReadAsync(BlobLocation location, long size, CancellationToken cancellationToken)
    {
        if (size > ImageConfigReader.MaxBytes) return null;
        await using var reader = await store.OpenAsync(location, null, cancellationToken);
        if (reader is null || reader.Length > ImageConfigReader.MaxBytes) return null;

        using var bytes = new MemoryStream((int)reader.Length);
        var pipe = PipeWriter.Create(bytes, new StreamPipeWriterOptions(leaveOpen: true));
        await reader.CopyToAsync(pipe, 0, reader.Length, cancellationToken);
        await pipe.CompleteAsync();
        return bytes.ToArray();
    }
}
