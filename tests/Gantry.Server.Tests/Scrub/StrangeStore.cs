using System.IO.Pipelines;
using Gantry.Storage;

namespace Gantry.Server.Tests.Scrub;

/// <summary>A real store whose reads a test gets its hands on.</summary>
internal sealed class StrangeStore(IBlobStore store) : IBlobStore
{
    /// <summary>Called before each open; what it throws is the store's fault.</summary>
    public Func<BlobLocation, Task> OpeningAsync { get; init; } = _ => Task.CompletedTask;

    /// <summary>Called before each copy, with its offset.</summary>
    public Func<long, Task> CopyingAsync { get; init; } = _ => Task.CompletedTask;

    /// <summary>Where it sends clients.</summary>
    public Func<BlobLocation, Task<Uri?>> RedirectingAsync { get; init; } = _ => Task.FromResult<Uri?>(null);

    /// <summary>Opens something else instead.</summary>
    public Func<BlobLocation, IBlobReader?>? Instead { get; init; }

    public ValueTask<long?> StatAsync(BlobLocation location, CancellationToken cancellationToken) => store.StatAsync(location, cancellationToken);

    public async ValueTask<IBlobReader?> OpenAsync(BlobLocation location, BlobRange? expected, CancellationToken cancellationToken)
    {
        await OpeningAsync(location);
        var reader = Instead?.Invoke(location) ?? await store.OpenAsync(location, expected, cancellationToken);
        return reader is null ? null : new Reader(reader, CopyingAsync);
    }

    public ValueTask DeleteAsync(BlobLocation location, CancellationToken cancellationToken) => store.DeleteAsync(location, cancellationToken);

    public IAsyncEnumerable<StoredItem> ListAsync(byte shard, CancellationToken cancellationToken) => store.ListAsync(shard, cancellationToken);

    public ValueTask<Guid> OwnerAsync(Guid asking, CancellationToken cancellationToken) => store.OwnerAsync(asking, cancellationToken);

    public async ValueTask<Uri?> RedirectAsync(BlobLocation location, CancellationToken cancellationToken) => await RedirectingAsync(location);

    public ValueTask ProbeAsync(CancellationToken cancellationToken) => store.ProbeAsync(cancellationToken);

    private sealed class Reader(IBlobReader reader, Func<long, Task> copyingAsync) : IBlobReader
    {
        public long Length => reader.Length;

        public async ValueTask CopyToAsync(PipeWriter destination, long offset, long count, CancellationToken cancellationToken)
        {
            await copyingAsync(offset);
            await reader.CopyToAsync(destination, offset, count, cancellationToken);
        }

        public ValueTask DisposeAsync() => reader.DisposeAsync();
    }
}

/// <summary>So many bytes of zero, of which none is kept anywhere.</summary>
internal sealed class Zeros(long length) : IBlobReader
{
    public long Length => length;

    public async ValueTask CopyToAsync(PipeWriter destination, long offset, long count, CancellationToken cancellationToken)
    {
        for (var left = count; left > 0;)
        {
            var memory = destination.GetMemory();
            var piece = (int)Math.Min(memory.Length, left);
            memory.Span[..piece].Clear();
            destination.Advance(piece);
            await destination.FlushAsync(cancellationToken);
            left -= piece;
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A clock that whoever waits moves on at once.</summary>
internal sealed class SkippingTime : TimeProvider
{
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Interlocked.Add(ref _ticks, dueTime.Ticks);
        return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
