using System.IO.Compression;
using System.Text;
using Gantry.Core.Events;
using Gantry.Core.Look;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Oci;
using Gantry.TestKit.Tar;

namespace Gantry.Core.Tests.Look;

/// <summary>Images of real layers, pushed and read as the server does it.</summary>
internal sealed class LookRegistry : IAsyncDisposable
{
    public const string Repository = "team/app";

    private const string Layer = "application/vnd.oci.image.layer.v1.tar+gzip";

    private LookRegistry(CollectedRegistry registry) => Registry = registry;

    public CollectedRegistry Registry { get; }

    public ImageFiles Files => Registry.Get<ImageFiles>();

    public static RepositoryName Name { get; } = RepositoryName.Parse(Repository);

    public static async Task<LookRegistry> CreateAsync(params string[] settings) => new(await CollectedRegistry.CreateAsync(settings));

    public static ImagePath Path(string text) => ImagePath.TryParse(text, out var path) ? path : throw new ArgumentException(text);

    public static Reference Reference(string text) => Oci.Reference.TryParse(text, out var reference) ? reference : throw new ArgumentException(text);

    public static byte[] Gzip(TarBytes tar)
    {
        using var to = new MemoryStream();
        using (var gzip = new GZipStream(to, CompressionLevel.Fastest)) gzip.Write(tar.ToArray());
        return to.ToArray();
    }

    /// <summary>Pushes an image and reads its layers; each archive has its end already.</summary>
    public async Task<Digest> PushAsync(string tag, params TarBytes[] layers)
    {
        var pushed = await PushUnreadAsync(tag, Repository, [.. layers.Select(Gzip)]);
        await ReadAllAsync();
        return pushed;
    }

    public async Task<Digest> PushUnreadAsync(string tag, string repository, byte[][] layers, string config = "{}", string mediaType = Layer)
    {
        foreach (var layer in layers) await Registry.PushBlobAsync(repository, layer);
        await Registry.PushBlobAsync(repository, config);
        return await Registry.PushManifestAsync(repository, tag, Manifest(config, mediaType, layers));
    }

    public static string Manifest(string config, string mediaType, params byte[][] layers) =>
        $$"""
          {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Descriptor(MediaTypes.OciConfig, Encoding.UTF8.GetBytes(config))}},
          "layers":[{{string.Join(',', layers.Select(layer => Descriptor(mediaType, layer)))}}]}
          """;

    /// <summary>What the workers do, until there is nothing left to do.</summary>
    public async Task ReadAllAsync()
    {
        while (await Registry.Get<EventOutbox>().FollowAsync(default) > 0) continue;
        while (await Registry.Get<LayerIndexing>().NextAsync(default) is not null) continue;
    }

    /// <summary>All names in a directory, by pages of <paramref name="page"/>.</summary>
    public async Task<List<ImageFile>> ListAsync(string tag, string directory, int page = 1000, bool withRemoved = false)
    {
        var found = new List<ImageFile>();
        ImagePath? after = null;
        do
        {
            var listing = await Files.ListAsync(Name, Reference(tag), Path(directory), after, page, withRemoved, default);
            Assert.Equal(LookState.Ready, listing!.State);
            if (listing.Value is null) throw new DirectoryNotFoundException(directory);
            found.AddRange(listing.Value.Files);
            after = listing.Value.Next;
        }
        while (after is not null);
        return found;
    }

    /// <summary>Everything in an image but its root.</summary>
    public async Task<List<ImageFile>> TreeAsync(string tag, int page = 1000)
    {
        var found = new List<ImageFile>();
        var pending = new Queue<string>([""]);
        while (pending.TryDequeue(out var directory))
        {
            foreach (var file in await ListAsync(tag, directory, page))
            {
                found.Add(file);
                if (file.Kind == EntryKind.Directory) pending.Enqueue(file.Path.ToString());
            }
        }

        return found;
    }

    public ValueTask DisposeAsync() => Registry.DisposeAsync();

    private static string Descriptor(string mediaType, byte[] content) => $$"""{"mediaType":"{{mediaType}}","digest":"{{Digest.Of(content)}}","size":{{content.Length}}}""";
}
