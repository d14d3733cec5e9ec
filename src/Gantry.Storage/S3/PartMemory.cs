namespace Gantry.Storage.S3;

/// <summary>
/// The memory of all uploads of this process: blocks that are used again and again, and a budget for every part beyond
/// the one that each upload may always have. So no upload waits for another one's client, and all of them together hold
/// one part each and the budget. Blocks that idle are kept as long as they are no more than those in use, or the budget:
/// under load none is made and dropped, for it would stay until a collection.
/// </summary>
internal sealed class PartMemory(long budgetBytes)
{
    public const int BlockBytes = 256 * 1024;

    private readonly Stack<byte[]> _idle = [];
    private readonly int _minIdle = (int)(budgetBytes / BlockBytes);
    private long _free = budgetBytes;
    private int _rented;

    public byte[] Rent()
    {
        lock (_idle)
        {
            _rented++;
            if (_idle.TryPop(out var block)) return block;
        }

        // Pinned: sockets read and write it, and a collection need not move it.
        return GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);
    }

    public void Return(byte[] block)
    {
        lock (_idle)
        {
            _rented--;
            if (_idle.Count < Math.Max(_minIdle, _rented)) _idle.Push(block);
        }
    }

    public bool TryTakeBudget(long bytes)
    {
        if (Interlocked.Add(ref _free, -bytes) >= 0) return true;
        Interlocked.Add(ref _free, bytes);
        return false;
    }

    public void GiveBudgetBack(long bytes) => Interlocked.Add(ref _free, bytes);
}
