using Gantry.Layers;

namespace Gantry.Engine.Unpack;

/// <summary>Counts what a layer takes and stops it at the limits of <see cref="UnpackOptions"/>.</summary>
internal sealed class UnpackBudget(UnpackOptions options, CancellationToken cancellation) : IDisposable
{
    private long _apparent;
    private long _retained;
    private bool _isLarge;

    public long Entries { get; private set; }

    public long Inodes { get; private set; }

    public long Bytes { get; private set; }

    public void TakeEntry() => Entries = Require(Entries + 1, options.MaxEntries, "entries");

    public void TakeInode() => Inodes = Require(Inodes + 1, options.MaxInodes, "files");

    /// <summary>Before the first byte of a file is written: a size that is a lie costs nothing.</summary>
    public void TakeSize(long size)
    {
        if (size < 0 || size > options.MaxApparentBytes - _apparent) throw TooLarge("bytes in its files", options.MaxApparentBytes);
        _apparent += size;
    }

    public void TakeBytes(int count) => Bytes = Require(Bytes + count, options.MaxBytes, "bytes");

    /// <summary>Waits where others remember much as well.</summary>
    public void Retain(long bytes)
    {
        _retained = Require(_retained + bytes, options.MaxBookkeeping, "bytes of names to remember");
        if (_isLarge || _retained <= LargeLayers.FreeBytes || options.LargeLayers is not { } others) return;
        others.Enter(cancellation);
        _isLarge = true;
    }

    public void Dispose()
    {
        if (_isLarge) options.LargeLayers!.Leave();
    }

    private static long Require(long value, long limit, string what) => value <= limit ? value : throw TooLarge(what, limit);

    private static LayerException TooLarge(string what, long limit) => new(LayerFault.TooLarge, $"the layer has more than {limit} {what}");
}
