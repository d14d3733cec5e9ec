using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests.Clients;

/// <summary>How oras and helm push: each blob is looked for, then sent; the manifest comes last.</summary>
internal static class ArtifactPush
{
    private static readonly byte[] Empty = "{}"u8.ToArray();

    /// <summary>Blobs by POST and one PUT, then the manifest; returns the manifest's descriptor.</summary>
    public static async Task<JsonNode> RunAsync(
        TokenSession session, string repository, string? tag, string artifactType, string payload, JsonNode? subject)
    {
        var layer = await BlobAsync(session, repository, "application/vnd.example.payload", Encoding.UTF8.GetBytes(payload));
        var config = await BlobAsync(session, repository, "application/vnd.oci.empty.v1+json", Empty);
        var document = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestTypes.OciManifest,
            ["artifactType"] = artifactType,
            ["config"] = config,
            ["layers"] = new JsonArray(layer),
        };
        if (subject is not null) document["subject"] = subject.DeepClone();
        var bytes = Encoding.UTF8.GetBytes(document.ToJsonString());
        var descriptor = Descriptor(ManifestTypes.OciManifest, bytes);
        using var put = await session.SendAsync(HttpMethod.Put,
            $"/v2/{repository}/manifests/{tag ?? Text(descriptor, "digest")}", () => Body(bytes, ManifestTypes.OciManifest));
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        if (subject is not null) Assert.Equal(Text(subject, "digest"), put.Headers.GetValues("OCI-Subject").Single());
        return descriptor;
    }

    private static async Task<JsonNode> BlobAsync(TokenSession session, string repository, string mediaType, byte[] bytes)
    {
        var descriptor = Descriptor(mediaType, bytes);
        using var head = await session.SendAsync(HttpMethod.Head, $"/v2/{repository}/blobs/{Text(descriptor, "digest")}");
        if (head.StatusCode == HttpStatusCode.OK) return descriptor;
        Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);
        using var post = await session.SendAsync(HttpMethod.Post, $"/v2/{repository}/blobs/uploads/");
        Assert.Equal(HttpStatusCode.Accepted, post.StatusCode);
        var location = post.Headers.Location!.ToString();
        var separator = location.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        using var put = await session.SendAsync(HttpMethod.Put,
            $"{location}{separator}digest={Uri.EscapeDataString(Text(descriptor, "digest"))}",
            () => Body(bytes, "application/octet-stream"));
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        return descriptor;
    }

    private static JsonObject Descriptor(string mediaType, byte[] bytes) => new()
    {
        ["mediaType"] = mediaType,
        ["digest"] = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}",
        ["size"] = bytes.Length,
    };

    private static ByteArrayContent Body(byte[] bytes, string mediaType) =>
        new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } };

    private static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();
}
