using System.IO.Pipelines;
using Gantry.Oci;

namespace Gantry.Storage.Tests;

/// <summary>One process's view of a store.</summary>
public sealed record StorageConnection(IUploadStaging Staging, IBlobStore Blobs)
{
    /// <summary>A blob of these bytes, in one append.</summary>
    public async Task<BlobLocation> CommitAsync(byte[] content)
    {
        var session = Guid.CreateVersion7();
        var state = await Staging.CreateAsync(session, DigestAlgorithm.Sha256, CancellationToken.None);
        await using var writer = (await Staging.OpenAsync(session, _ => new(state), CancellationToken.None))!;
        await writer.AppendAsync(PipeReader.Create(new MemoryStream(content)), CancellationToken.None);
        return await writer.CommitAsync(CancellationToken.None);
    }

    public async Task<byte[]> ReadAsync(BlobLocation location, long offset = 0, long? count = null)
    {
        await using var reader = await Blobs.OpenAsync(location, null, CancellationToken.None)
            ?? throw new InvalidOperationException("nothing there");
        return await ReadAsync(reader, offset, count ?? reader.Length - offset);
    }

    public static async Task<byte[]> ReadAsync(IBlobReader reader, long offset, long count)
    {
        var pipe = new Pipe();
        var copy = Task.Run(async () =>
        {
            await reader.CopyToAsync(pipe.Writer, offset, count, CancellationToken.None);
            await pipe.Writer.CompleteAsync();
        });
        using var result = new MemoryStream();
        await Task.WhenAll(copy.ContinueWith(async done =>
        {
            if (done.IsFaulted) await pipe.Writer.CompleteAsync(done.Exception!.InnerException);
        }, TaskScheduler.Default).Unwrap(), pipe.Reader.CopyToAsync(result));
        return result.ToArray();
    }
}

/// <summary>
/// What the contract suites share. A backend subclasses each suite and says how to connect; every connection of one
/// class sees the same store, as several server processes do. Tests share it too: sessions keep them apart.
/// </summary>
public abstract class StorageContract : IAsyncLifetime
{
    protected static readonly CancellationToken None = CancellationToken.None;

    protected StorageConnection Store { get; private set; } = null!;

    protected IUploadStaging Staging => Store.Staging;

    protected IBlobStore Blobs => Store.Blobs;

    /// <summary>A further connection to the store.</summary>
    protected abstract ValueTask<StorageConnection> ConnectAsync();

    public async ValueTask InitializeAsync() => Store = await ConnectAsync();

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    protected static byte[] Content(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    protected static async Task AppendAsync(IStagingWriter writer, ReadOnlyMemory<byte> bytes) =>
        await writer.AppendAsync(PipeReader.Create(new MemoryStream(bytes.ToArray())), None);

    protected async Task<IStagingWriter> OpenAsync(Guid session, StagingState state) =>
        await Staging.OpenAsync(session, _ => new(state), None) ?? throw new InvalidOperationException("another writer has it");

    protected async Task<(IStagingWriter Writer, Guid Session, StagingState State)> StartAsync(
        DigestAlgorithm algorithm = DigestAlgorithm.Sha256)
    {
        var session = Guid.CreateVersion7();
        var state = await Staging.CreateAsync(session, algorithm, None);
        return (await OpenAsync(session, state), session, state);
    }

    /// <summary>A committed blob of these bytes.</summary>
    protected async Task<BlobLocation> CommitAsync(ReadOnlyMemory<byte> bytes)
    {
        var (writer, _, _) = await StartAsync();
        await using (writer)
        {
            await AppendAsync(writer, bytes);
            return await writer.CommitAsync(None);
        }
    }

    /// <summary>Where the session has bytes that anyone could read.</summary>
    protected async Task<List<BlobLocation>> LocationsOfAsync(Guid session) =>
        [.. (await ListAsync(session)).Where(item => item.Location is not null).Select(item => item.Location!.Value)];

    /// <summary>Everything that lies in the store for the session.</summary>
    protected async Task<List<StoredItem>> ListAsync(Guid session)
    {
        List<StoredItem> found = [];
        await foreach (var item in Blobs.ListAsync(session.ToByteArray()[^1], None))
        {
            if (item.SessionId == session) found.Add(item);
        }

        return found;
    }

    protected Task<byte[]> ReadAsync(BlobLocation location) => Store.ReadAsync(location);
}
