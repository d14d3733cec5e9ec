using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Gantry.Oci;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Server.Tests.Api;

/// <summary>Images with files, for routes that look into them.</summary>
internal static class ImageServer
{
    public const string LayerType = "application/vnd.oci.image.layer.v1.tar+gzip";

    public static string Path(string repository) => $"/repositories/{Uri.EscapeDataString(repository)}";

    /// <summary>Pushes an image of these layers with a config that says a little.</summary>
    public static async Task<Digest> PushFilesAsync(this ApiServer server, string repository, string tag, params TarBytes[] layers)
    {
        using var client = server.Server.Client("admin");
        var config = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new
        {
            os = "linux", architecture = "amd64", created = "2026-01-02T03:04:05Z",
            config = new { Env = new[] { $"TAG={tag}" }, Cmd = new[] { "sh" }, Labels = new Dictionary<string, string> { ["made"] = "by a test" } },
            history = new object[] { new { created_by = "ENV TAG", empty_layer = true }, new { created_by = "COPY ." } },
        }));
        var packed = layers.Select(Gzip).ToList();
        foreach (var blob in packed.Append(config)) await client.PushBlobAsync(repository, blob);
        return await client.PushManifestAsync(repository, tag, JsonSerializer.Serialize(new
        {
            schemaVersion = 2, mediaType = MediaTypes.OciManifest,
            config = new { mediaType = MediaTypes.OciConfig, digest = $"{Digest.Of(config)}", size = config.Length },
            layers = packed.Select(layer => new { mediaType = LayerType, digest = $"{Digest.Of(layer)}", size = layer.Length }),
            annotations = new Dictionary<string, string> { ["org.example.note"] = "<b>hostile</b>" },
        }));
    }

    /// <summary>Asks until all layers were read.</summary>
    public static async Task<Answer> LookAsync(this ApiServer server, string path, string? who = "admin")
    {
        for (var left = 600; ; left--)
        {
            var answer = (await server.SendAsync("GET", path, who)).Is(200);
            var state = answer["look"].GetProperty("state").GetString();
            if (state is "ready" or "failed") return answer;
            Assert.True(left > 0, "the layers are never read");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    private static byte[] Gzip(TarBytes tar)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(tar.ToArray());
        return packed.ToArray();
    }
}
