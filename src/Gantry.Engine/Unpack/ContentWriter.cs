using Gantry.Engine.Posix;
using Gantry.Layers;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Unpack;

/// <summary>The content of regular files: one write for a small file, one for each 256 KiB at most of a large one. Holes stay holes.</summary>
internal static class ContentWriter
{
    /// <summary>Writes the reader's current entry into the new, empty file that <paramref name="behind"/> has begun.</summary>
    public static void Write(TarReader reader, int file, WriteBehind behind, UnpackBudget budget)
    {
        var entry = reader.Entry;
        var end = 0L;
        while (true)
        {
            var read = reader.Read(behind.Room(end), out var offset);
            if (read == 0) break;
            if (offset < 0 || offset > entry.Size - read) throw new LayerException(LayerFault.Archive, $"{Printable.Of(entry.Name.Span)} has content beyond its end");
            budget.TakeBytes(read);
            behind.Add(read, offset);
            end = offset + read;
        }

        // Nothing is written behind its size: it may come before what is still to be written.
        if (end < entry.Size) PosixFault.Check(Kernel.Truncate(file, entry.Size), "ftruncate", entry.Name.Span);
    }
}
