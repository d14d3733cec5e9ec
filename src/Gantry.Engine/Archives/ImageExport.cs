using Gantry.Engine.Bundles;
using Gantry.Engine.Images;
using Gantry.Engine.Unpack;

namespace Gantry.Engine.Archives;

/// <summary>An image's root filesystem as one tar, its layers merged. Root reads them stacked, as a container would; others unpack them first.</summary>
public static class ImageExport
{
    /// <summary>Big writes: most entries are small.</summary>
    private const int OutputBuffer = 1 << 20;

    /// <param name="image">Of the store, layers and all.</param>
    /// <param name="output">Gets the archive; flushed, not disposed. Memory: a buffer of 1 MiB and what <see cref="TreeExport"/> says.</param>
    public static Task WriteAsync(ImageStore store, StoredImage image, Stream output, CancellationToken ct) => LocalFaults.AsEngineAsync(async () =>
    {
        if (!image.IsUnpackable) throw new EngineException(EngineFault.Unsupported, $"{image.Name} is not a container image for Linux");
        var work = Directory.CreateTempSubdirectory("gantry-export-").FullName;
        try
        {
            if (Environment.IsPrivilegedProcess)
            {
                await ImageBundle.ViewAsync(store, image, work, root => Write(root, output, ct), ct);
            }
            else
            {
                var root = Path.Combine(work, "rootfs");
                await new FlatUnpacker(store, null, new PullOptions()).UnpackAsync(image.Name, root, null, ct);
                Write(root, output, ct);
            }
        }
        finally
        {
            TreeRemoval.Remove(work);
        }
    });

    private static void Write(string root, Stream output, CancellationToken ct)
    {
        var buffered = new BufferedStream(output, OutputBuffer);
        var archive = new TarWriter(buffered);
        new TreeExport(archive).Write(root, ct);
        archive.End();
        buffered.Flush();
    }
}
