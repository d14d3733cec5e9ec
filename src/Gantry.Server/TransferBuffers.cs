using System.Buffers;
using Microsoft.AspNetCore.Connections;

namespace Gantry.Server;

/// <summary>
/// The buffers that Kestrel reads sockets into and writes them from. Its own are of 4 KiB, so a layer of 1 GiB costs
/// 260,000 reads; these are eight times as large, and an upload costs a quarter less processor time. A connection holds them only while bytes
/// wait in it, at most its request and response buffers (256 KiB and 64 KiB); idle ones hold none. What is given back is kept
/// by the shared array pool, which trims itself.
/// </summary>
internal sealed class TransferBuffers : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private const int BlockBytes = 32 * 1024;

    public override int MaxBufferSize => BlockBytes;

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        return new Block();
    }

    protected override void Dispose(bool disposing)
    {
        // Nothing of its own: every block goes back by itself.
    }

    private sealed class Block : IMemoryOwner<byte>
    {
        private byte[]? _array = ArrayPool<byte>.Shared.Rent(BlockBytes);

        public Memory<byte> Memory => _array ?? throw new ObjectDisposedException(nameof(Block));

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _array, null) is { } array) ArrayPool<byte>.Shared.Return(array);
        }
    }
}
