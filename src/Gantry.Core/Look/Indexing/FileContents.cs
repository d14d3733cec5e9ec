using System.Buffers.Binary;
using System.Security.Cryptography;
using Gantry.Core.Look.Packages;
using Gantry.Layers.Tar;

namespace Gantry.Core.Look.Indexing;

/// <summary>Reads what is in files as they come by: a hash of each, and the lists of packages.</summary>
internal sealed class FileContents(PackageReading packages) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _buffer = new byte[128 * 1024];
    private readonly byte[] _digest = new byte[32];

    /// <summary>Half of a SHA-256: who makes two files that it takes for one has to try 2^64. Null for a sparse file, which may be written in many ways.</summary>
    public UInt128? Read(TarReader reader, ImagePath path, bool isWhole)
    {
        if (!isWhole) return null;
        var list = packages.Begin(path, reader.Entry.Size);
        while (reader.Read(_buffer, out _) is var read and > 0)
        {
            _hash.AppendData(_buffer, 0, read);
            list?.Add(_buffer.AsSpan(0, read));
        }

        if (list is not null) packages.End(path, list);
        _hash.GetHashAndReset(_digest);
        return BinaryPrimitives.ReadUInt128BigEndian(_digest);
    }

    public void Dispose() => _hash.Dispose();
}
