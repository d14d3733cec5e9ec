using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gantry.Oci;

namespace Gantry.TestKit;

/// <summary>The pushes that a test needs done before it gets to its point. Each throws where the registry refuses.</summary>
public static class RegistryClient
{
    public static readonly byte[] EmptyConfig = "{}"u8.ToArray();

    /// <summary>Uploads a blob in the usual two requests.</summary>
    public static async Task<Digest> PushBlobAsync(this HttpClient client, string repository, byte[] content,
        DigestAlgorithm algorithm = DigestAlgorithm.Sha256)
    {
        var digest = Digest.Of(content, algorithm);
        var upload = await client.StartUploadAsync(repository);
        using var put = await client.PutAsync(WithDigest(upload, digest), Bytes(content));
        await ExpectAsync(put, HttpStatusCode.Created);
        return digest;
    }

    /// <summary>Starts an upload and returns its location.</summary>
    public static async Task<string> StartUploadAsync(this HttpClient client, string repository)
    {
        using var post = await client.PostAsync($"/v2/{repository}/blobs/uploads/", null);
        await ExpectAsync(post, HttpStatusCode.Accepted);
        return post.Headers.Location!.ToString();
    }

    /// <summary>Pushes a manifest as it is.</summary>
    public static async Task<Digest> PushManifestAsync(this HttpClient client, string repository, string? tag, string json,
        string mediaType = MediaTypes.OciManifest)
    {
        var content = Encoding.UTF8.GetBytes(json);
        var digest = Digest.Of(content);
        using var put = await client.PutAsync($"/v2/{repository}/manifests/{tag ?? digest.ToString()}", Bytes(content, mediaType));
        await ExpectAsync(put, HttpStatusCode.Created);
        return digest;
    }

    /// <summary>Pushes an image with the layers given (config <c>{}</c>), and everything it needs.</summary>
    public static async Task<Digest> PushImageAsync(this HttpClient client, string repository, string? tag,
        params byte[][] layers)
    {
        await client.PushBlobAsync(repository, EmptyConfig);
        foreach (var layer in layers) await client.PushBlobAsync(repository, layer);
        return await client.PushManifestAsync(repository, tag, ImageJson(layers));
    }

    public static string ImageJson(byte[][] layers, Digest? subject = null, string? artifactType = null,
        IReadOnlyDictionary<string, string>? annotations = null)
    {
        var document = new Dictionary<string, object>
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Descriptor(EmptyConfig, MediaTypes.OciConfig),
            ["layers"] = layers.Select(layer => Descriptor(layer, "application/vnd.oci.image.layer.v1.tar")).ToArray(),
        };
        if (artifactType is not null) document["artifactType"] = artifactType;
        if (annotations is not null) document["annotations"] = annotations;
        if (subject is { } digest)
        {
            document["subject"] = new Dictionary<string, object>
            {
                ["mediaType"] = MediaTypes.OciManifest, ["digest"] = digest.ToString(), ["size"] = 1,
            };
        }

        return JsonSerializer.Serialize(document);
    }

    public static string IndexJson(params (string MediaType, Digest Digest, long Size)[] manifests) =>
        JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciIndex,
            ["manifests"] = manifests.Select(entry => new Dictionary<string, object>
            {
                ["mediaType"] = entry.MediaType, ["digest"] = entry.Digest.ToString(), ["size"] = entry.Size,
            }).ToArray(),
        });

    public static ByteArrayContent Bytes(byte[] content, string mediaType = "application/octet-stream") =>
        new(content) { Headers = { ContentType = MediaTypeHeaderValue.Parse(mediaType) } };

    public static string WithDigest(string location, Digest digest) =>
        $"{location}{(location.Contains('?', StringComparison.Ordinal) ? '&' : '?')}digest={digest}";

    /// <summary>The one header's one value; fails where it is missing or repeated.</summary>
    public static string Header(this HttpResponseMessage response, string name) =>
        (response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values))
            ? values.Single() : throw new InvalidOperationException($"no header {name} in {response}");

    /// <summary>The error code of the envelope, after checking that it is one.</summary>
    public static async Task<string> ErrorCodeAsync(this HttpResponseMessage response)
    {
        if (response.Content.Headers.ContentType?.ToString() != "application/json")
            throw new InvalidOperationException($"not an error envelope: {response}");
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return body.RootElement.GetProperty("errors")[0].GetProperty("code").GetString()!;
    }

    private static Dictionary<string, object> Descriptor(byte[] content, string mediaType) => new()
    {
        ["mediaType"] = mediaType, ["digest"] = Digest.Of(content).ToString(), ["size"] = content.Length,
    };

    private static async Task ExpectAsync(HttpResponseMessage response, HttpStatusCode status)
    {
        if (response.StatusCode != status)
            throw new InvalidOperationException($"{response} {await response.Content.ReadAsStringAsync()}");
    }
}
