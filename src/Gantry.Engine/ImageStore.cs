using Gantry.Engine.Content;
using Gantry.Engine.Images;
using Gantry.Engine.Remote;
using Gantry.Engine.Snapshots;
using Gantry.Engine.Unpack;
using Gantry.Oci;

namespace Gantry.Engine;

/// <summary>
/// Images on this machine: their names, their blobs, their layers unpacked once and shared. Any number of processes use one store at a time. Whatever
/// happens to one of them, a name leads to a whole image, the old or the new one, and never to a part of one.
/// </summary>
/// <remarks>
/// What one is going to use is named in a <see cref="Lease"/> first: nothing removes it then. The README of this project says what lies where.
/// </remarks>
public sealed partial class ImageStore
{
    private readonly StoreLayout _layout;

    private ImageStore(StoreLayout layout, string boot)
    {
        _layout = layout;
        Blobs = new BlobStore(layout);
        Durability = new Durability(layout, boot);
        Layers = new LayerStore(layout, Durability);
        Chains = new ChainStore(layout, Durability, Layers);
        Names = new ImageNames(layout);
        Windows = new WindowFiles(layout.Staging);
    }

    /// <summary>Where the store is when nobody says: <c>GANTRY_ROOT</c>, else for root <c>/var/lib/gantry</c>, else the user's data folder.</summary>
    public static string DefaultRoot
    {
        get
        {
            if (Environment.GetEnvironmentVariable("GANTRY_ROOT") is { Length: > 0 } given) return Path.GetFullPath(given);
            if (Environment.IsPrivilegedProcess) return "/var/lib/gantry";
            return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "gantry");
        }
    }

    public string Root => _layout.Root;

    internal BlobStore Blobs { get; }

    internal LayerStore Layers { get; }

    internal ChainStore Chains { get; }

    internal ImageNames Names { get; }

    internal Durability Durability { get; }

    /// <summary>Shared by all layers that are read into this store at a time.</summary>
    internal WindowFiles Windows { get; }

    /// <inheritdoc cref="Windows"/>
    internal LargeLayers LargeLayers { get; } = new();

    /// <summary>Opens the store, makes it where there is none, and removes what killed processes and a lost machine have left in it.</summary>
    /// <exception cref="EngineException">Local: the folder cannot be made or written.</exception>
    public static Task<ImageStore> OpenAsync(string root, CancellationToken ct = default) => OpenAsync(root, Durability.CurrentBoot(), ct);

    /// <inheritdoc cref="OpenAsync(string, CancellationToken)"/>
    internal static async Task<ImageStore> OpenAsync(string root, string boot, CancellationToken ct)
    {
        var layout = new StoreLayout(Path.GetFullPath(root));
        return await LocalFaults.AsEngineAsync(async () =>
        {
            layout.Create();
            var store = new ImageStore(layout, boot);
            if (store.Durability.Lost().Any()) await store.DropLostAsync(ct);
            StagedFolder.RemoveLeftovers(layout);
            return store;
        });
    }

    /// <summary>Null where there is no such name.</summary>
    public StoredImage? Find(ImageName name) => LocalFaults.AsEngine(() => Names.Find(name));

    /// <summary>All of them, by name.</summary>
    public IReadOnlyList<StoredImage> List() => LocalFaults.AsEngine(Names.List);

    /// <summary>Keeps what it names from being removed, for as long as it and this process live.</summary>
    public Task<Lease> LeaseAsync(CancellationToken ct = default) => LocalFaults.AsEngineAsync(() => Lease.StartAsync(_layout, ct));

    /// <summary>The config of a stored image. Null for what has none that can be read (an artifact).</summary>
    public async Task<ImageConfig?> ReadConfigAsync(StoredImage image, CancellationToken ct = default)
    {
        var manifest = await ReadManifestAsync(image, ct);
        if (manifest.Config is null || !image.IsUnpackable) return null;
        var content = await Blobs.ReadAsync(manifest.Config.Digest, ImageConfigReader.MaxBytes, ct) ?? throw Missing(manifest.Config.Digest);
        return ImageConfigReader.Read(content);
    }

    /// <summary>The manifest of a stored image.</summary>
    public async Task<ImageDocument> ReadManifestAsync(StoredImage image, CancellationToken ct = default)
    {
        var content = await Blobs.ReadAsync(image.Manifest.Digest, ManifestDocument.MaxBytes, ct) ?? throw Missing(image.Manifest.Digest);
        return ImageDocument.Read(content, image.Manifest.Digest, image.Manifest.MediaType);
    }

    /// <summary>A stored blob for reading, checked when it came; null where it is not there (layers may have been discarded).</summary>
    public Stream? OpenBlob(Digest digest)
    {
        var path = _layout.Blob(digest);
        return LocalFaults.AsEngine(() => File.Exists(path) ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1) : null);
    }

    /// <summary>
    /// The layers of a stored image as directories, to be stacked. Null where they are not all there: discarded by a lost machine, say; a pull brings them back, out of
    /// the blobs where those are there. To be asked after a lease has named them.
    /// </summary>
    public LayerChain? FindChain(StoredImage image) => LocalFaults.AsEngine(() => Chains.Find(image.DiffIds));

    /// <summary>
    /// Makes what was unpacked durable: one syncfs, which may take as long as the pull did. Nobody needs to wait for it: a machine that is lost before it ends unpacks those layers
    /// again, from their blobs. It needs no open store, and makes nothing where there is none.
    /// </summary>
    /// <exception cref="EngineException">Local.</exception>
    public static Task SettleAsync(string root) => SettleAsync(new Durability(new StoreLayout(Path.GetFullPath(root)), Durability.CurrentBoot()));

    /// <inheritdoc cref="SettleAsync(string)"/>
    public Task SettleAsync() => SettleAsync(Durability);

    /// <summary>False: something was unpacked in this boot, and <see cref="SettleAsync()"/> has not seen to it.</summary>
    public bool IsSettled => LocalFaults.AsEngine(() => Durability.IsSettled);

    private static Task SettleAsync(Durability durability) =>
        Task.Factory.StartNew(() => LocalFaults.AsEngine(durability.Settle), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static EngineException Missing(Digest digest) => new(EngineFault.NotFound, $"{digest} is not in the store; pull the image again");
}
