using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Gantry.Core.Look;
using Gantry.Oci;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Server.Tests.Ui;

/// <summary>Images of real layers and configs, pushed as a client does.</summary>
internal static class ImagePushes
{
    /// <summary>A text with everything that a page could take for its own, and marks that turn its direction.</summary>
    public const string Hostile = "<img src=x onerror=alert(1)>\"'&<script>alert(2)</script>\u202egnp";

    /// <summary>A dpkg status with packages of these names and versions.</summary>
    public static string Dpkg(params (string Name, string Version)[] packages) => string.Concat(packages.Select(package =>
        $"Package: {package.Name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {package.Version}\n\n"));

    /// <summary>Pushes an image of these layers, each an archive with its end.</summary>
    /// <param name="config">The whole config but for the platform and its layers; null: nothing else.</param>
    public static async Task<Digest> PushLayersAsync(this HttpClient client, string repository, string? tag, JsonObject? config, params TarBytes[] layers)
    {
        var blobs = layers.Select(layer => Gzip(layer.ToArray())).ToArray();
        foreach (var blob in blobs) await client.PushBlobAsync(repository, blob);
        var whole = (JsonObject)(config ?? []).DeepClone();
        whole["os"] ??= "linux";
        whole["architecture"] ??= "amd64";
        var bytes = Encoding.UTF8.GetBytes(whole.ToJsonString());
        await client.PushBlobAsync(repository, bytes);
        return await client.PushManifestAsync(repository, tag, new JsonObject
        {
            ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciManifest, ["config"] = Describe(MediaTypes.OciConfig, bytes),
            ["layers"] = new JsonArray([.. blobs.Select(blob => Describe("application/vnd.oci.image.layer.v1.tar+gzip", blob))]),
            ["annotations"] = new JsonObject { ["note"] = Hostile },
        }.ToJsonString());
    }

    public static JsonObject Describe(string mediaType, byte[] content) =>
        new() { ["mediaType"] = mediaType, ["digest"] = Digest.Of(content).ToString(), ["size"] = content.Length };

    /// <summary>Pushes an index of images that are there, each for a platform of linux.</summary>
    public static Task<Digest> PushIndexAsync(this HttpClient client, string repository, string tag, params (string Architecture, Digest Digest)[] images) =>
        client.PushManifestAsync(repository, tag, new JsonObject
        {
            ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciIndex,
            ["manifests"] = new JsonArray([.. images.Select(image => (JsonNode)new JsonObject
            {
                ["mediaType"] = MediaTypes.OciManifest, ["digest"] = image.Digest.ToString(), ["size"] = 500,
                ["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = image.Architecture },
            })]),
        }.ToJsonString(), MediaTypes.OciIndex);

    /// <summary>Reads the layers of an image as the worker does, without waiting for it.</summary>
    public static async Task ReadLayersAsync(this RegistryServer registry, string repository, Reference image)
    {
        var name = RepositoryName.Parse(repository);
        while (true)
        {
            var looked = await registry.Get<ImageFiles>().ListAsync(name, image, default, null, 1, withRemoved: false, default);
            if (looked!.State is LookState.Ready or LookState.Failed) return;
            // What the server's own worker has claimed it is about to end.
            if (await registry.Get<LayerIndexing>().NextAsync(default) is null) await Task.Yield();
        }
    }

    private static byte[] Gzip(byte[] content)
    {
        using var to = new MemoryStream();
        using (var gzip = new GZipStream(to, CompressionLevel.Fastest)) gzip.Write(content);
        return to.ToArray();
    }
}
