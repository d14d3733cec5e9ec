using System.Text;
using Gantry.Core.Look.Indexing;
using Gantry.Core.Look.Trees;
using Gantry.Layers;
using Gantry.Oci;

namespace Gantry.Core.Look;

/// <summary>What a file's bytes seem to be.</summary>
public enum TextKind
{
    Utf8,

    /// <summary>No UTF-8 and no controls but those of text: every byte a character of ISO 8859-1.</summary>
    Latin1,

    Binary,
}

/// <summary>The start of a file.</summary>
/// <param name="File">What it is, where the path's links lead.</param>
/// <param name="Kind">What the bytes seem to be; null where there are none to be shown.</param>
/// <param name="Content">At most <see cref="FileTexts.MaxBytes"/>; of UTF-8 whole characters.</param>
/// <param name="IsCut">The file goes on.</param>
/// <param name="WhyNot">Why there is no content: a device, a directory, a sparse file. Null otherwise.</param>
public sealed record FileText(ImageFile File, TextKind? Kind, ReadOnlyMemory<byte> Content, bool IsCut, string? WhyNot)
{
    /// <summary>For people; empty for what is binary.</summary>
    public string Text => Kind switch
    {
        TextKind.Utf8 => Encoding.UTF8.GetString(Content.Span),
        TextKind.Latin1 => Encoding.Latin1.GetString(Content.Span),
        _ => "",
    };
}

/// <summary>
/// Reads a file out of its layer, which is decompressed up to there: at most two at a time on this node, each for <see cref="MaxTime"/> at most. Memory of each: what
/// <see cref="LayerBlobs"/> takes, and the content.
/// </summary>
public sealed class FileTexts(LookedImages images, LayerBlobs blobs, TimeProvider time) : IDisposable
{
    /// <summary>What of a file is shown.</summary>
    public const int MaxBytes = 512 * 1024;

    /// <summary>Some ten GiB of a layer come by meanwhile.</summary>
    public static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(20);

    private const int AtATime = 2;

    private readonly SemaphoreSlim _readers = new(AtATime);

    /// <summary>A file by its path, links followed within the image as in a chroot.</summary>
    /// <returns>Null where the repository has no such manifest. A value of null where the image has nothing there.</returns>
    /// <exception cref="TimeoutException">The layer, or those that others look into, took too long.</exception>
    public async Task<Looked<FileText>?> ReadAsync(RepositoryName repository, Reference image, ImagePath path, CancellationToken cancellationToken) =>
        await images.OpenAsync(repository, image, cancellationToken) is { } opened ? await ReadAsync(opened, path, cancellationToken) : null;

    /// <summary>A file as one layer alone has it, another one of the image may hide it; links are followed within the layer.</summary>
    /// <param name="repository">Whose reader asks.</param>
    /// <param name="layer">The digest of its blob.</param>
    /// <param name="path">Where.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null where the repository has no such blob. A value of null where the layer has nothing there.</returns>
    /// <exception cref="TimeoutException">As above.</exception>
    public async Task<Looked<FileText>?> ReadLayerAsync(RepositoryName repository, Digest layer, ImagePath path, CancellationToken cancellationToken) =>
        await images.OpenLayerAsync(repository, layer, cancellationToken) is { } opened ? await ReadAsync(opened, path, cancellationToken) : null;

    public void Dispose() => _readers.Dispose();

    private async Task<Looked<FileText>> ReadAsync(LookedImage opened, ImagePath path, CancellationToken cancellationToken)
    {
        if (!opened.IsReady || opened.Layers.Count == 0) return opened.Answer<FileText>(null);
        var tree = new MergedTree(images.Pages(opened), opened.Layers.Count, withHidden: false);
        if (await tree.ResolveAsync(path.Bytes.ToArray(), followsLast: true, cancellationToken) is not { } found) return opened.Answer<FileText>(null);

        // A hard link to a file of the layers below has its bytes there.
        var source = await tree.FollowAsync(found, cancellationToken) ?? found;
        var file = ImageFile.Of(found, source.Entry, opened.Layers);
        var record = source.Entry.Record;
        if (record.Kind != EntryKind.File) return opened.Answer(new FileText(file, null, default, false, "it is no file"));
        if (record.Offset is not { } offset) return opened.Answer(new FileText(file, null, default, false, "a sparse file, whose content is not in one piece"));
        var content = record.Size == 0 ? [] : await ReadAsync(opened, source.Layer, offset, (int)Math.Min(record.Size, MaxBytes), cancellationToken);
        return opened.Answer(Judge(file, content, isCut: content.Length < record.Size));
    }

    internal static FileText Judge(ImageFile file, byte[] content, bool isCut)
    {
        // The cut may go through a character.
        var whole = content.AsMemory();
        if (isCut)
        {
            for (var back = 1; back <= Math.Min(3, content.Length); back++)
            {
                var part = content[^back];
                if ((part & 0xC0) == 0x80) continue;
                if (part >= 0xC0 && Rune.DecodeFromUtf8(content.AsSpan(content.Length - back), out _, out _) == System.Buffers.OperationStatus.NeedMoreData) whole = whole[..^back];
                break;
            }
        }

        if (content.AsSpan().IndexOfAny(Controls) >= 0) return new FileText(file, TextKind.Binary, content, isCut, null);
        if (System.Text.Unicode.Utf8.IsValid(whole.Span)) return new FileText(file, TextKind.Utf8, whole, isCut, null);
        return new FileText(file, content.AsSpan().IndexOfAnyInRange((byte)0x80, (byte)0x9F) < 0 ? TextKind.Latin1 : TextKind.Binary, content, isCut, null);
    }

    /// <summary>What no text has: all but tab, line feed, form feed, carriage return and escape.</summary>
    private static readonly System.Buffers.SearchValues<byte> Controls =
        System.Buffers.SearchValues.Create([.. Enumerable.Range(0, 32).Select(part => (byte)part).Except([(byte)9, (byte)10, (byte)12, (byte)13, (byte)27]), 127]);

    private async Task<byte[]> ReadAsync(LookedImage image, int layer, long offset, int count, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(MaxTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var isIn = false;
        try
        {
            await _readers.WaitAsync(both.Token);
            isIn = true;
            return await blobs.ReadAsync(image.Locations[layer]!.Value, tar => Read(tar, offset, count, both.Token), isPatient: false, both.Token);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"layer {image.Layers[layer].Digest} was not read up to the file within {MaxTime}", late);
        }
        finally
        {
            if (isIn) _readers.Release();
        }
    }

    private static byte[] Read(Stream tar, long offset, int count, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        for (var left = offset; left > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var read = tar.Read(buffer.AsSpan(0, (int)Math.Min(left, buffer.Length)));
            if (read == 0) throw new LayerException(LayerFault.Archive, "the layer is shorter than its listing says");
            left -= read;
        }

        var content = new byte[count];
        tar.ReadExactly(content);
        return content;
    }
}
