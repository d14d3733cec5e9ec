using System.IO.Pipelines;
using Gantry.Storage;

namespace Gantry.Core.Tests.Look;

/// <summary>A store that does not answer before it is let, or answers with a fault.</summary>
internal sealed class GatedStore(IBlobStore store) : IBlobStore
{
    private readonly TaskCompletionSource _asked = new(), _open = new();
    private bool _isAway;

    /// <summary>Somebody waits for bytes.</summary>
    public Task Asked => _asked.Task;

    public void Open() => _open.SetResult();

    /// <param name="isAway">Nothing else of it answers either.</param>
    public void Fail(bool isAway)
    {
        _isAway = isAway;
        _open.SetException(new IOException("there is no answer"));
    }

    public async ValueTask<IBlobReader?> OpenAsync(BlobLocation location, BlobRange? expected, CancellationToken cancellationToken) =>
        new Reader((await store.OpenAsync(location, expected, cancellationToken))!, this);

    public ValueTask<long?> StatAsync(BlobLocation location, CancellationToken cancellationToken) => store.StatAsync(location, cancellationToken);

    public ValueTask DeleteAsync(BlobLocation location, CancellationToken cancellationToken) => store.DeleteAsync(location, cancellationToken);

    public IAsyncEnumerable<StoredItem> ListAsync(byte shard, CancellationToken cancellationToken) => store.ListAsync(shard, cancellationToken);

    public ValueTask<Guid> OwnerAsync(Guid asking, CancellationToken cancellationToken) => store.OwnerAsync(asking, cancellationToken);

    public ValueTask<Uri?> RedirectAsync(BlobLocation location, CancellationToken cancellationToken) => store.RedirectAsync(location, cancellationToken);

    public ValueTask ProbeAsync(CancellationToken cancellationToken) => _isAway ? throw new IOException("the store is away") : store.ProbeAsync(cancellationToken);

    private sealed class Reader(IBlobReader reader, GatedStore gate) : IBlobReader
    {
        public long Length => reader.Length;

        public async ValueTask CopyToAsync(PipeWriter destination, long offset, long count, CancellationToken cancellationToken)
        {
            gate._asked.TrySetResult();
            await gate._open.Task.WaitAsync(cancellationToken);
            await reader.CopyToAsync(destination, offset, count, cancellationToken);
        }

        public ValueTask DisposeAsync() => reader.DisposeAsync();
    }
}
