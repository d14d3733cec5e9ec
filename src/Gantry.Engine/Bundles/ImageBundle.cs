using System.Text.Json;
using Gantry.Engine.Images;
using Gantry.Engine.Posix;
using Gantry.Engine.Remote;
using Gantry.Engine.Snapshots;
using Gantry.Engine.Unpack;

namespace Gantry.Engine.Bundles;

/// <summary>
/// An OCI runtime bundle of an image: a folder for its owner alone with <c>config.json</c> and <c>rootfs</c>, which is either a tree of its own or the image's layers,
/// stacked by overlayfs, with what changes in <c>upper</c>. Nothing is made inside the root filesystem: what a runtime needs there (<c>/proc</c>, <c>/dev</c>) the
/// runtime makes, resolving links inside.
/// </summary>
/// <remarks>
/// The mount is made here and not by a hook or a mount of config.json: hooks run programs of the machine for everyone who moves the bundle, and no runtime takes a mount of
/// "/" itself.
/// </remarks>
public static class ImageBundle
{
    private const string Rootfs = "rootfs";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>With a root filesystem of its own, which depends on nothing. After a failure the folder is gone, or empty if it was there.</summary>
    public static async Task<UnpackedImage> MakeFlatAsync(
        FlatUnpacker unpacker, ImageName name, string folder, BundleOptions options, IProgress<PullProgress>? progress, CancellationToken ct)
    {
        folder = Path.GetFullPath(folder);
        var isOurs = Prepare(folder);
        try
        {
            var image = await unpacker.UnpackAsync(name, Path.Combine(folder, Rootfs), progress, ct);
            Write(folder, image.Config, options);
            return image;
        }
        catch
        {
            Clear(folder, isOurs);
            throw;
        }
    }

    /// <summary>
    /// With the image's layers mounted at <c>rootfs</c>, until somebody unmounts it or the machine ends. The layers stay in the store until the folder is removed, also
    /// where the image is not.
    /// </summary>
    public static async Task MakeStackedAsync(ImageStore store, StoredImage image, string folder, BundleOptions options, CancellationToken ct)
    {
        folder = Path.GetFullPath(folder);
        var config = await ConfigOfAsync(store, image, ct);
        var isOurs = Prepare(folder);
        var isMounted = false;
        try
        {
            using var lease = await store.LeaseAsync(ct);
            await lease.AddAsync(image.Uses, ct);
            await store.PinAsync(image, folder, ct);
            var rootfs = Path.Combine(folder, Rootfs);
            Directory.CreateDirectory(rootfs);
            OverlayMount.Mount(folder, rootfs, ChainOf(store, image));
            isMounted = true;
            Write(folder, config, options);
        }
        catch
        {
            if (isMounted) OverlayMount.Unmount(Path.Combine(folder, Rootfs));
            Clear(folder, isOurs);
            throw;
        }
    }

    /// <summary>
    /// The same with a mount that only <paramref name="use"/> and what it starts see, and that ends with them, also where this process ended before. Blocks.
    /// </summary>
    /// <param name="folder">Is there, and empty.</param>
    public static async Task UseStackedAsync(ImageStore store, StoredImage image, string folder, BundleOptions options, Action use, CancellationToken ct)
    {
        var config = await ConfigOfAsync(store, image, ct);
        using var lease = await store.LeaseAsync(ct);
        await lease.AddAsync(image.Uses, ct);
        await store.PinAsync(image, folder, ct);
        var rootfs = Path.Combine(folder, Rootfs);
        Directory.CreateDirectory(rootfs);
        OverlayMount.MountPrivately(folder, rootfs, ChainOf(store, image), isWritable: true, () =>
        {
            Write(folder, config, options);
            use();
        });
    }

    /// <summary>An image's root filesystem, read-only, for as long as <paramref name="use"/> runs and seen by it alone.</summary>
    internal static async Task ViewAsync(ImageStore store, StoredImage image, string folder, Action<string> use, CancellationToken ct)
    {
        using var lease = await store.LeaseAsync(ct);
        await lease.AddAsync(image.Uses, ct);
        var rootfs = Path.Combine(folder, Rootfs);
        Directory.CreateDirectory(rootfs);
        OverlayMount.MountPrivately(folder, rootfs, ChainOf(store, image), isWritable: false, () => use(rootfs));
    }

    internal static void Write(string folder, ImageConfig config, BundleOptions options)
    {
        var user = ImageUser.Resolve(options.User ?? config.Execution.User, Path.Combine(folder, Rootfs));
        var spec = RuntimeSpecBuilder.Build(config, options, user);
        File.WriteAllBytes(Path.Combine(folder, "config.json"), JsonSerializer.SerializeToUtf8Bytes(spec, RuntimeSpecJson.Default.RuntimeSpec));
    }

    private static LayerChain ChainOf(ImageStore store, StoredImage image) =>
        store.FindChain(image) ?? throw new EngineException(EngineFault.NotFound, $"the layers of {image.Name} are not all in the store; pull it again");

    private static async Task<ImageConfig> ConfigOfAsync(ImageStore store, StoredImage image, CancellationToken ct) =>
        await store.ReadConfigAsync(image, ct) ?? throw new EngineException(EngineFault.Unsupported, $"{image.Name} is not a container image for Linux");

    /// <summary>True where it was made here.</summary>
    private static bool Prepare(string folder)
    {
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder, OwnerOnly);
            return true;
        }

        if (Directory.EnumerateFileSystemEntries(folder).Any()) throw new EngineException(EngineFault.Usage, $"{folder} is not empty");
        File.SetUnixFileMode(folder, OwnerOnly);
        return false;
    }

    private static void Clear(string folder, bool isOurs)
    {
        if (isOurs) TreeRemoval.Remove(folder);
        else TreeRemoval.Empty(folder);
    }

    /// <summary>Who runs this, for a bundle that needs no root.</summary>
    public static RootlessOwner? RootlessOwner() => Environment.IsPrivilegedProcess ? null : new RootlessOwner(Libc.EffectiveUser(), Libc.EffectiveGroup());
}
