using System.Security.Cryptography;
using Gantry.Oci;

namespace Gantry.Engine.Content;

/// <summary>Hashes what is read through it. Its end is reached only where the digest is the one expected; otherwise the last read throws.</summary>
internal sealed class VerifyingStream(Stream inner, Digest expected) : ReadOnlyStream
{
    private readonly IncrementalHash _hash = expected.Algorithm.CreateHash();
    private bool _isAtEnd;

    public static EngineException Mismatch(Digest found, Digest expected) =>
        new(EngineFault.Mismatch, $"a layer unpacks to {found}, but the config says {expected}");

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || _isAtEnd) return 0;
        var count = inner.Read(buffer);
        if (count > 0)
        {
            _hash.AppendData(buffer[..count]);
            return count;
        }

        _isAtEnd = true;
        var found = Digest.FromHash(expected.Algorithm, _hash.GetHashAndReset());
        return found == expected ? 0 : throw Mismatch(found, expected);
    }

    protected override void Dispose(bool disposing)
    {
        _hash.Dispose();
        inner.Dispose();
        base.Dispose(disposing);
    }
}
