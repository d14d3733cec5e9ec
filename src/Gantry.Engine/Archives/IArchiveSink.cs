using System.Text;
using Gantry.Engine.Content;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Archives;

/// <summary>Where the files of an archive go, one after the other.</summary>
internal interface IArchiveSink
{
    /// <summary>Reads <paramref name="file"/> to its end, which is after <paramref name="size"/> bytes.</summary>
    void Put(string name, long size, Stream file, CancellationToken ct);

    void Put(string name, ReadOnlySpan<byte> content);

    void End();
}

/// <summary>One tar, the same bytes for the same images.</summary>
internal sealed class TarSink(Stream output) : IArchiveSink
{
    private readonly TarWriter _tar = new(output);

    public void Put(string name, long size, Stream file, CancellationToken ct)
    {
        Begin(name, size);
        var block = new byte[BlobIngest.BlockBytes];
        while (file.Read(block) is var count and > 0)
        {
            ct.ThrowIfCancellationRequested();
            _tar.Write(block.AsSpan(0, count));
        }
    }

    public void Put(string name, ReadOnlySpan<byte> content)
    {
        Begin(name, content.Length);
        _tar.Write(content);
    }

    public void End() => _tar.End();

    private void Begin(string name, long size) =>
        _tar.Begin(new TarHeaderValues { Name = Encoding.ASCII.GetBytes(name), Type = TarEntryType.RegularFile, Mode = 0x1A4, Size = size });
}

/// <summary>A folder; <c>index.json</c> comes last of what makes it a layout, so that half of one is none.</summary>
internal sealed class FolderSink(string folder) : IArchiveSink
{
    public void Put(string name, long size, Stream file, CancellationToken ct)
    {
        using var target = Create(name);
        var block = new byte[BlobIngest.BlockBytes];
        while (file.Read(block) is var count and > 0)
        {
            ct.ThrowIfCancellationRequested();
            target.Write(block, 0, count);
        }
    }

    public void Put(string name, ReadOnlySpan<byte> content)
    {
        using var target = Create(name);
        target.Write(content);
    }

    public void End()
    {
    }

    private FileStream Create(string name)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
    }
}
