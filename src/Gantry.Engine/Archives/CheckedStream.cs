using Gantry.Engine.Content;
using Gantry.Oci;

namespace Gantry.Engine.Archives;

/// <summary>The bytes of a blob, counted and hashed: its end comes only after size and digest were found right. Disposes what it reads.</summary>
internal sealed class CheckedStream(Stream inner, Descriptor descriptor) : ReadOnlyStream
{
    private readonly System.Security.Cryptography.IncrementalHash _hash = descriptor.Digest.Algorithm.CreateHash();
    private long _count;
    private bool _isDone;

    public override int Read(Span<byte> buffer)
    {
        if (_isDone || buffer.IsEmpty) return 0;
        var count = inner.Read(buffer);
        _hash.AppendData(buffer[..count]);
        _count += count;
        if (_count > descriptor.Size) throw Wrong($"is longer than the {descriptor.Size} bytes that its descriptor says");
        if (count > 0) return count;

        if (_count < descriptor.Size) throw Wrong($"ends after {_count} of the {descriptor.Size} bytes that its descriptor says");
        var digest = Digest.FromHash(descriptor.Digest.Algorithm, _hash.GetHashAndReset());
        if (digest != descriptor.Digest) throw Wrong($"is {digest}");
        _isDone = true;
        return 0;
    }

    /// <summary>Reads past so many bytes; they count for the digest.</summary>
    public void Skip(long count)
    {
        var block = new byte[BlobIngest.BlockBytes];
        while (count > 0)
        {
            var read = Read(block.AsSpan(0, (int)Math.Min(block.Length, count)));
            if (read == 0) throw new ArgumentOutOfRangeException(nameof(count));
            count -= read;
        }
    }

    protected override void Dispose(bool disposing)
    {
        _hash.Dispose();
        inner.Dispose();
        base.Dispose(disposing);
    }

    private EngineException Wrong(string how) => new(EngineFault.Mismatch, $"what there is of {descriptor.Digest} {how}");
}
