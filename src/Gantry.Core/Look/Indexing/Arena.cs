using Gantry.Layers;

namespace Gantry.Core.Look.Indexing;

/// <summary>Pieces of bytes put away one after the other, in blocks, so that a million of them are a few objects. Nothing is given back before the end.</summary>
internal sealed class Arena(MemoryBudget budget)
{
    private const int BlockBits = 18, BlockBytes = 1 << BlockBits;

    private readonly List<byte[]> _blocks = [];
    private int _used = BlockBytes;

    /// <summary>At most 65,535 bytes; the result is what <see cref="this"/> wants.</summary>
    public int Add(ReadOnlySpan<byte> bytes)
    {
        var length = bytes.Length + 2;
        if (_used + length > BlockBytes)
        {
            budget.Take(BlockBytes);
            _blocks.Add(new byte[BlockBytes]);
            _used = 0;
        }

        var block = _blocks[^1].AsSpan(_used);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16LittleEndian(block, checked((ushort)bytes.Length));
        bytes.CopyTo(block[2..]);
        var at = ((_blocks.Count - 1) << BlockBits) | _used;
        _used += length;
        return at;
    }

    public ReadOnlySpan<byte> this[int at]
    {
        get
        {
            var piece = _blocks[at >> BlockBits].AsSpan(at & (BlockBytes - 1));
            return piece.Slice(2, System.Buffers.Binary.BinaryPrimitives.ReadUInt16LittleEndian(piece));
        }
    }
}

/// <summary>What a layer's names and metadata may take of memory.</summary>
internal sealed class MemoryBudget(long bytes)
{
    private long _taken;

    public void Take(long count)
    {
        if ((_taken += count) > bytes) throw new LayerException(LayerFault.TooLarge, $"the layer's names and metadata take more than {bytes} bytes of memory");
    }
}
