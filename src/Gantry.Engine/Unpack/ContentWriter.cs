using System.Buffers;
using Gantry.Engine.Posix;
using Gantry.Layers;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Unpack;

/// <summary>The content of regular files: one write for a small file, one for each 256 KiB of a large one. Holes stay holes.</summary>
internal sealed class ContentWriter(UnpackBudget budget) : IDisposable
{
    private const int BufferSize = 256 * 1024;

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);

    /// <summary>Writes the reader's current entry into a new, empty file.</summary>
    public void Write(TarReader reader, int file)
    {
        var entry = reader.Entry;
        var (start, filled, end) = (0L, 0, 0L);
        while (true)
        {
            var read = reader.Read(_buffer.AsSpan(filled, BufferSize - filled), out var offset);
            if (read == 0) break;
            if (offset < 0 || offset > entry.Size - read) throw new LayerException(LayerFault.Archive, $"{Printable.Of(entry.Name.Span)} has content beyond its end");
            budget.TakeBytes(read);
            if (offset != start + filled)
            {
                Flush(file, start, filled, entry);
                _buffer.AsSpan(filled, read).CopyTo(_buffer);
                (start, filled) = (offset, 0);
            }

            filled += read;
            end = offset + read;
            if (filled < BufferSize) continue;
            Flush(file, start, filled, entry);
            (start, filled) = (start + filled, 0);
        }

        Flush(file, start, filled, entry);
        if (end < entry.Size) PosixFault.Check(Kernel.Truncate(file, entry.Size), "ftruncate", entry.Name.Span);
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private void Flush(int file, long start, int filled, TarEntry entry)
    {
        if (filled > 0) PosixFault.Check(Kernel.Write(file, _buffer.AsSpan(0, filled), start), "write", entry.Name.Span);
    }
}
