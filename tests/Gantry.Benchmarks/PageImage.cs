using System.Text;
using System.Text.Json.Nodes;
using Gantry.TestKit;

namespace Gantry.Benchmarks;

/// <summary>A real image among rows: two platforms of four layers, one of 20,000 files, one with dpkg's list of packages, as two tags to compare.</summary>
internal static class PageImage
{
    public const string Repository = "scale/image";

    public static async Task PushAsync(RegistryProcess gantry)
    {
        using var client = new HttpClient { BaseAddress = gantry.Address };
        client.DefaultRequestHeaders.Authorization = RegistryServer.Basic("admin", RegistryProcess.Password);
        foreach (var tag in new[] { "1.0", "1.1" })
        {
            var images = new List<(string, Oci.Digest, long)>();
            foreach (var architecture in new[] { "amd64", "arm64" })
            {
                var json = await ImageAsync(client, architecture, tag);
                images.Add((Oci.MediaTypes.OciManifest, await client.PushManifestAsync(Repository, $"{tag}-{architecture}", json), json.Length));
            }

            await client.PushManifestAsync(Repository, tag, RegistryClient.IndexJson([.. images]), Oci.MediaTypes.OciIndex);
        }
    }

    private static async Task<string> ImageAsync(HttpClient client, string architecture, string tag)
    {
        byte[][] layers = [Files("usr/share/many", 20_000, "1.0"), Packages(tag), Files($"opt/{architecture}", 50, tag), Files("etc", 20, tag)];
        var (diffIds, history) = (new JsonArray(), new JsonArray());
        foreach (var layer in layers)
        {
            diffIds.Add((await client.PushBlobAsync(Repository, layer)).ToString());
            history.Add(new JsonObject { ["created"] = "2026-11-01T10:00:00Z", ["created_by"] = "RUN make a layer" });
        }

        var config = new JsonObject
        {
            ["architecture"] = architecture, ["os"] = "linux", ["created"] = "2026-11-01T10:00:00Z", ["history"] = history,
            ["config"] = new JsonObject { ["Env"] = new JsonArray("PATH=/usr/bin"), ["Labels"] = new JsonObject { ["version"] = tag } },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = diffIds },
        };
        var content = Encoding.UTF8.GetBytes(config.ToJsonString());
        var digest = await client.PushBlobAsync(Repository, content);
        var manifest = JsonNode.Parse(RegistryClient.ImageJson(layers))!;
        manifest["config"] = new JsonObject { ["mediaType"] = Oci.MediaTypes.OciConfig, ["digest"] = digest.ToString(), ["size"] = content.Length };
        return manifest.ToJsonString();
    }

    private static byte[] Packages(string tag)
    {
        var status = new StringBuilder();
        for (var number = 0; number < 400; number++)
            status.Append($"Package: package-{number}\nStatus: install ok installed\nArchitecture: all\nVersion: {(number % 3 == 0 ? tag : "2")}-{number}\n\n");
        return Archive([("var/lib/dpkg/status", status.ToString())]);
    }

    private static byte[] Files(string folder, int count, string content) =>
        Archive(Enumerable.Range(0, count).Select(number => ($"{folder}/d{number % 40}/file-{number}", $"{content} {number}\n")));

    private static byte[] Archive(IEnumerable<(string Path, string Text)> files)
    {
        var archive = new MemoryStream();
        using (var writer = new System.Formats.Tar.TarWriter(archive, leaveOpen: true))
        {
            foreach (var (path, text) in files)
            {
                writer.WriteEntry(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, path)
                {
                    DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)), ModificationTime = DateTimeOffset.UnixEpoch,
                });
            }
        }

        return archive.ToArray();
    }
}
