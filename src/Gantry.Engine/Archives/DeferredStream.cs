using Gantry.Engine.Content;

namespace Gantry.Engine.Archives;

/// <summary>A stream that is opened when it is first read, and tells how far it was.</summary>
internal sealed class DeferredStream(Func<CancellationToken, Task<Stream>> open, Action<long> progress) : ReadOnlyStream
{
    private Stream? _inner;
    private long _count;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _inner ??= await open(cancellationToken);
        return Counted(await _inner.ReadAsync(buffer, cancellationToken));
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(Span<byte> buffer)
    {
        _inner ??= open(CancellationToken.None).GetAwaiter().GetResult();
        return Counted(_inner.Read(buffer));
    }

    protected override void Dispose(bool disposing)
    {
        _inner?.Dispose();
        base.Dispose(disposing);
    }

    private int Counted(int count)
    {
        _count += count;
        if (count > 0) progress(_count);
        return count;
    }
}
