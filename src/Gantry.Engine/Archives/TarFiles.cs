using System.Text;
using Gantry.Engine.Content;
using Gantry.Layers;
using Gantry.Layers.Tar;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Engine.Archives;

/// <summary>
/// The files of a tar archive, found by one pass over its headers. What comes through a pipe or compressed is written to a file without a name first, which goes
/// with the process.
/// </summary>
/// <remarks>Memory: a name and two numbers an entry, <see cref="MaxEntries"/> of them at most.</remarks>
internal sealed class TarFiles : IArchiveFiles
{
    private const int MaxEntries = 100_000, MaxLinks = 8;

    private readonly Dictionary<string, (long Position, long Size)> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);
    private readonly SafeFileHandle _file;

    private TarFiles(SafeFileHandle file) => _file = file;

    /// <param name="archive">Read to its end; the caller's.</param>
    /// <exception cref="EngineException">InvalidDocument: not a tar, or a damaged one. TooLarge. Local.</exception>
    public static TarFiles Open(Stream archive, CancellationToken ct)
    {
        try
        {
            var files = new TarFiles(AsFile(archive, ct));
            try
            {
                files.ReadHeaders(ct);
                return files;
            }
            catch
            {
                files.Dispose();
                throw;
            }
        }
        catch (LayerException fault)
        {
            throw new EngineException(EngineFault.InvalidDocument, $"the archive cannot be read: {fault.Message}", fault);
        }
    }

    public Stream? Open(string name)
    {
        // Older docker archives have a layer that occurs twice once, and a link to it.
        for (var links = 0; links < MaxLinks && _links.TryGetValue(name, out var target); links++) name = target;
        return _files.TryGetValue(name, out var place) ? new Slice(_file, place.Position, place.Size) : null;
    }

    public void Dispose() => _file.Dispose();

    private void ReadHeaders(CancellationToken ct)
    {
        using var whole = new Slice(_file, 0, RandomAccess.GetLength(_file));
        using var reader = new TarReader(whole);
        while (reader.Next())
        {
            ct.ThrowIfCancellationRequested();
            if (_files.Count + _links.Count >= MaxEntries) throw new EngineException(EngineFault.TooLarge, $"the archive has more than {MaxEntries} entries");
            var name = Normal(reader.Entry.Name.Span, below: "");
            if (reader.Entry.Type == TarEntryType.RegularFile && reader.ContentPosition is { } position) _files[name] = (position, reader.Entry.Size);
            var slash = name.LastIndexOf('/');
            if (reader.Entry.Type == TarEntryType.SymbolicLink) _links[name] = Normal(reader.Entry.LinkName.Span, below: slash < 0 ? "" : name[..slash]);
            if (reader.Entry.Type == TarEntryType.HardLink) _links[name] = Normal(reader.Entry.LinkName.Span, below: "");
        }
    }

    /// <summary>Only a key of a dictionary: it never becomes a path.</summary>
    private static string Normal(ReadOnlySpan<byte> name, string below)
    {
        var parts = below.Split('/', StringSplitOptions.RemoveEmptyEntries).ToList();
        foreach (var part in Encoding.Latin1.GetString(name).Split('/'))
        {
            if (part == ".." && parts.Count > 0) parts.RemoveAt(parts.Count - 1);
            else if (part is not ("" or "." or "..")) parts.Add(part);
        }

        return string.Join('/', parts);
    }

    private static SafeFileHandle AsFile(Stream archive, CancellationToken ct)
    {
        var isCompressed = true;
        if (archive is FileStream { CanSeek: true } file && file.Position == 0)
        {
            var first = new byte[LayerDecoder.SniffLength];
            var count = RandomAccess.Read(file.SafeFileHandle, first, 0);
            isCompressed = LayerDecoder.Sniff(first.AsSpan(0, count)) is not LayerCompression.None;
            if (!isCompressed) return File.OpenHandle($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}");
        }

        var path = Path.Combine(Path.GetTempPath(), $"gantry-{Guid.NewGuid():N}");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using var copy = new FileStream(path, options);
        var kept = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        File.Delete(path);
        try
        {
            using var plain = Decoding.Open(archive, new WindowFiles(Path.GetTempPath()), out _);
            var block = new byte[BlobIngest.BlockBytes];
            while (plain.Read(block) is var count and > 0)
            {
                ct.ThrowIfCancellationRequested();
                copy.Write(block.AsSpan(0, count));
            }

            copy.Flush();
            return kept;
        }
        catch
        {
            kept.Dispose();
            throw;
        }
    }

    /// <summary>A piece of a file, for one reader.</summary>
    private sealed class Slice(SafeFileHandle file, long start, long length) : ReadOnlyStream
    {
        private long _at;

        public override int Read(Span<byte> buffer)
        {
            var count = RandomAccess.Read(file, buffer[..(int)Math.Min(buffer.Length, length - _at)], start + _at);
            _at += count;
            return count;
        }
    }
}
