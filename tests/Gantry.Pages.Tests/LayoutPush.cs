using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.Pages.Tests;

/// <summary>Pushes what lies in OCI layouts, byte for byte: indexes with all that is in them, and artifacts with their subjects.</summary>
internal sealed class LayoutPush(HttpClient registry, ImageSet images)
{
    /// <param name="tag">What it is called in the layout.</param>
    /// <param name="name">What it is to be called.</param>
    public async Task PushAsync(string image, string repository, string name, string tag = "latest")
    {
        var entry = Json(Path.Combine(images.Folder(image), "index.json"))["manifests"]!.AsArray()
            .Single(entry => (string?)entry!["annotations"]?["org.opencontainers.image.ref.name"] == tag)!;
        await ManifestAsync(image, repository, entry, name);
    }

    private async Task ManifestAsync(string image, string repository, JsonNode descriptor, string reference)
    {
        var file = FileOf(image, descriptor);
        var manifest = Json(file);
        foreach (var child in manifest["manifests"]?.AsArray() ?? []) await ManifestAsync(image, repository, child!, (string)child!["digest"]!);
        foreach (var blob in manifest["layers"]?.AsArray().Append(manifest["config"]) ?? []) await BlobAsync(image, repository, blob!);
        await using var content = File.OpenRead(file);
        await PutAsync($"/v2/{repository}/manifests/{reference}", content, (string)descriptor["mediaType"]!);
    }

    private async Task BlobAsync(string image, string repository, JsonNode descriptor)
    {
        var digest = (string)descriptor["digest"]!;
        using var head = new HttpRequestMessage(HttpMethod.Head, $"/v2/{repository}/blobs/{digest}");
        using var known = await registry.SendAsync(head);
        if (known.IsSuccessStatusCode) return;
        using var upload = await registry.PostAsync($"/v2/{repository}/blobs/uploads/?mount={digest}", null);
        upload.EnsureSuccessStatusCode();
        if (upload.StatusCode == System.Net.HttpStatusCode.Created) return;
        var location = upload.Headers.Location!.ToString();
        await using var content = File.OpenRead(FileOf(image, descriptor));
        await PutAsync($"{location}{(location.Contains('?', StringComparison.Ordinal) ? '&' : '?')}digest={digest}", content, "application/octet-stream");
    }

    private async Task PutAsync(string path, Stream content, string type)
    {
        using var body = new StreamContent(content) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } };
        using var answer = await registry.PutAsync(path, body);
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"{path}: {answer} {await answer.Content.ReadAsStringAsync()}");
    }

    private string FileOf(string image, JsonNode descriptor) =>
        Path.Combine(images.Folder(image), "blobs", ((string)descriptor["digest"]!).Replace(':', '/'));

    private static JsonNode Json(string file) => JsonNode.Parse(File.ReadAllBytes(file))!;
}
