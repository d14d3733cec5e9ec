using System.Net;
using System.Text;
using System.Text.Json;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>Requests header for header as a test wants them, and what every refusal must look like.</summary>
internal static class ManifestCalls
{
    /// <summary>A descriptor of image-spec; further fields as they are, with their comma in front.</summary>
    public static string Descriptor(string mediaType, Digest digest, long size, string more = "") =>
        $$"""{"mediaType":"{{mediaType}}","digest":"{{digest}}","size":{{size}}{{more}}}""";

    public static async Task<HttpResponseMessage> SendAsync(this HttpClient client, string method, string path,
        HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Content = content;
        foreach (var (name, value) in headers) Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return await client.SendAsync(request);
    }

    /// <param name="client">Who pushes.</param>
    /// <param name="repository">Where to.</param>
    /// <param name="reference">Tag or digest, with a query where one is wanted.</param>
    /// <param name="json">The manifest.</param>
    /// <param name="contentType">Sent as it is; null: no such header.</param>
    public static Task<HttpResponseMessage> PutManifestAsync(this HttpClient client, string repository, string reference,
        string json, string? contentType = MediaTypes.OciManifest) =>
        client.PutManifestAsync(repository, reference, Encoding.UTF8.GetBytes(json), contentType);

    public static Task<HttpResponseMessage> PutManifestAsync(this HttpClient client, string repository, string reference,
        byte[] content, string? contentType = MediaTypes.OciManifest)
    {
        var body = new ByteArrayContent(content);
        if (contentType is not null) Assert.True(body.Headers.TryAddWithoutValidation("Content-Type", contentType));
        return client.SendAsync("PUT", $"/v2/{repository}/manifests/{reference}", body);
    }

    /// <summary>The header's one value as it came over the wire; null where there is none.</summary>
    public static string? RawHeader(this HttpResponseMessage response, string name)
    {
        if (response.Headers.NonValidated.TryGetValues(name, out var values)
            || response.Content.Headers.NonValidated.TryGetValues(name, out values))
        {
            return Assert.Single(values);
        }

        return null;
    }

    /// <summary>Reads the body only to show it: a listing under way stays unread.</summary>
    public static void AssertStatus(this HttpResponseMessage response, HttpStatusCode status)
    {
        if (response.StatusCode != status)
            Assert.Fail($"{(int)status} wanted: {response} {response.Content.ReadAsStringAsync().GetAwaiter().GetResult()}");
    }

    /// <summary>Status, envelope and code of a refusal, and the error's detail.</summary>
    public static async Task<string?> AssertErrorAsync(this HttpResponseMessage response, HttpStatusCode status, string code)
    {
        response.AssertStatus(status);
        Assert.Equal("application/json", response.RawHeader("Content-Type"));
        using var body = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync());
        var errors = Assert.Single(body.RootElement.EnumerateObject());
        Assert.Equal("errors", errors.Name);
        var error = Assert.Single(errors.Value.EnumerateArray());
        Assert.All(error.EnumerateObject(), field => Assert.Contains(field.Name, (string[])["code", "message", "detail"]));
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
        return error.TryGetProperty("detail", out var detail) ? detail.GetString() : null;
    }

    /// <summary>Config <c>{}</c> in the repository, and its descriptor.</summary>
    public static async Task<string> PushConfigAsync(this HttpClient client, string repository,
        string mediaType = MediaTypes.OciConfig) =>
        Descriptor(mediaType, await client.PushBlobAsync(repository, RegistryClient.EmptyConfig), RegistryClient.EmptyConfig.Length);
}
