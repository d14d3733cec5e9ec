using System.Collections.Concurrent;

namespace Gantry.Storage.S3;

/// <summary>
/// The memory of all uploads of this process: blocks that are used again and again, and a budget for every part beyond
/// the one that each upload may always have. So no upload waits for another one's client, and all of them together hold
/// one part each, the budget, and idle blocks of as much again at most.
/// </summary>
internal sealed class PartMemory(long budgetBytes)
{
    public const int BlockBytes = 256 * 1024;

    private readonly ConcurrentStack<byte[]> _idle = [];
    private readonly long _maxIdleBytes = budgetBytes;
    private long _free = budgetBytes;
    private long _idleBytes;

    public byte[] Rent()
    {
        if (_idle.TryPop(out var block))
        {
            Interlocked.Add(ref _idleBytes, -BlockBytes);
            return block;
        }

        // Pinned: sockets read and write it, and a collection need not move it.
        return GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);
    }

    public void Return(byte[] block)
    {
        if (Interlocked.Add(ref _idleBytes, BlockBytes) <= _maxIdleBytes) _idle.Push(block);
        else Interlocked.Add(ref _idleBytes, -BlockBytes);
    }

    public bool TryTakeBudget(long bytes)
    {
        if (Interlocked.Add(ref _free, -bytes) >= 0) return true;
        Interlocked.Add(ref _free, bytes);
        return false;
    }

    public void GiveBudgetBack(long bytes) => Interlocked.Add(ref _free, bytes);
}
