using System.Net;
using System.Text;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>A manifest comes back as it was sent, to GET and HEAD alike.</summary>
public sealed class ManifestBytesTests(RegistryFixture registry)
{
    private HttpClient Client => registry.Client;

    [Theory]
    [Trait("Protocol", "D3.36")]
    [InlineData("{\n\t\"layers\" : [ ],\r\n  \"schemaVersion\":2 ,\"config\":CONFIG,\n\"zzz\":1.50e0,\"a\":\"\\u0041\\/\"}\n\n")]
    [InlineData(" \n{\"config\":CONFIG,\"layers\":[],\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"schemaVersion\":2}")]
    [InlineData("{\"schemaVersion\":2,\"config\":CONFIG,\"layers\":null,\"annotations\":{\"é\":\"日本\\u0000\"}}")]
    public async Task Get_OddlyWritten_ReturnsTheSameBytes(string template)
    {
        var repository = registry.NewRepository();
        var json = template.Replace("CONFIG", await Client.PushConfigAsync(repository), StringComparison.Ordinal);
        var bytes = Encoding.UTF8.GetBytes(json);
        var digest = Digest.Of(bytes);

        using var put = await Client.PutManifestAsync(repository, "odd", json);
        put.AssertStatus(HttpStatusCode.Created);
        Assert.Equal(digest.ToString(), put.RawHeader("Docker-Content-Digest"));
        Assert.Equal($"/v2/{repository}/manifests/{digest}", put.RawHeader("Location"));

        foreach (var reference in (string[])["odd", digest.ToString()])
        {
            using var get = await Client.GetAsync($"/v2/{repository}/manifests/{reference}");
            Assert.Equal(bytes, await get.Content.ReadAsByteArrayAsync());
        }
    }

    [Theory]
    [Trait("Protocol", "D3.36")]
    [Trait("Protocol", "D4.66")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Head_AnswersTheHeadersOfGet(bool byTag)
    {
        var repository = registry.NewRepository();
        var digest = await Client.PushImageAsync(repository, "v1");
        var path = $"/v2/{repository}/manifests/{(byTag ? "v1" : digest.ToString())}";

        using var get = await Client.GetAsync(path);
        using var head = await Client.SendAsync("HEAD", path);

        head.AssertStatus(HttpStatusCode.OK);
        Assert.Equal(Headers(get), Headers(head));
        Assert.Equal((await get.Content.ReadAsByteArrayAsync()).Length, head.Content.Headers.ContentLength);
        Assert.Equal(digest.ToString(), head.RawHeader("Docker-Content-Digest"));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [Trait("Protocol", "D3.37")]
    [InlineData("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.manifest.v1+json")]
    [InlineData("application/vnd.oci.image.manifest.v1+json; charset=utf-8", "application/vnd.oci.image.manifest.v1+json")]
    [InlineData("application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.v2+json")]
    [InlineData("application/vnd.acme.thing+json", "application/vnd.acme.thing+json")]
    [InlineData("text/plain", "text/plain")]
    [InlineData("application/json", "application/vnd.oci.image.manifest.v1+json")]
    [InlineData(null, "application/vnd.oci.image.manifest.v1+json")]
    [InlineData("no media type at all", "application/vnd.oci.image.manifest.v1+json")]
    public async Task Get_AnswersTheTypeThatWasPushed(string? pushed, string served)
    {
        var repository = registry.NewRepository();
        var json = $$"""{"schemaVersion":2,"config":{{await Client.PushConfigAsync(repository)}},"layers":[]}""";

        using var put = await Client.PutManifestAsync(repository, "v1", json, pushed);
        put.AssertStatus(HttpStatusCode.Created);

        using var get = await Client.GetAsync($"/v2/{repository}/manifests/v1");
        using var head = await Client.SendAsync("HEAD", $"/v2/{repository}/manifests/v1");
        Assert.Equal(served, get.RawHeader("Content-Type"));
        Assert.Equal(served, head.RawHeader("Content-Type"));
    }

    [Theory]
    [Trait("Protocol", "D3.37")]
    [InlineData("application/vnd.oci.image.manifest.v1+json")]
    [InlineData("application/vnd.docker.distribution.manifest.v2+json")]
    [InlineData("text/html, */*;q=0.1")]
    [InlineData("application/json;q=0")]
    [InlineData(";;;,,")]
    public async Task Get_WhateverAcceptSays_AnswersWhatThereIs(string accept)
    {
        var repository = registry.NewRepository();
        var child = await Client.PushImageAsync(repository, null);
        await Client.PushManifestAsync(repository, "v1", RegistryClient.IndexJson((MediaTypes.OciManifest, child, 1)), MediaTypes.OciIndex);

        using var get = await Client.SendAsync("GET", $"/v2/{repository}/manifests/v1", null, ("Accept", accept));

        get.AssertStatus(HttpStatusCode.OK);
        Assert.Equal(MediaTypes.OciIndex, get.RawHeader("Content-Type"));
    }

    [Theory]
    [Trait("Protocol", "D3.36")]
    [InlineData("\"DIGEST\"", true)]
    [InlineData("W/\"DIGEST\"", true)]
    [InlineData("\"other\", \"DIGEST\"", true)]
    [InlineData("*", true)]
    [InlineData("\"other\"", false)]
    [InlineData("DIGEST", false)]
    [InlineData("\"", false)]
    public async Task Get_IfNoneMatch_AnswersNotModifiedToWhoHasIt(string header, bool known)
    {
        var repository = registry.NewRepository();
        var digest = await Client.PushImageAsync(repository, "v1");
        var tag = header.Replace("DIGEST", digest.ToString(), StringComparison.Ordinal);

        foreach (var path in (string[])[$"manifests/v1", $"manifests/{digest}", $"blobs/{Digest.Of(RegistryClient.EmptyConfig)}"])
        {
            var expected = path.StartsWith("blobs", StringComparison.Ordinal)
                ? tag.Replace(digest.ToString(), Digest.Of(RegistryClient.EmptyConfig).ToString(), StringComparison.Ordinal) : tag;
            foreach (var method in (string[])["GET", "HEAD"])
            {
                using var answer = await Client.SendAsync(method, $"/v2/{repository}/{path}", null, ("If-None-Match", expected));
                answer.AssertStatus(known ? HttpStatusCode.NotModified : HttpStatusCode.OK);
                Assert.Matches("^\"sha256:[0-9a-f]{64}\"$", answer.RawHeader("ETag"));
                if (known) Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
            }
        }
    }

    [Fact]
    [Trait("Protocol", "D3.36")]
    public async Task Get_MissingManifest_IsUnknown()
    {
        var repository = registry.NewRepository();
        foreach (var reference in (string[])["v1", Digest.Of("nothing"u8).ToString()])
        {
            using var unknown = await Client.GetAsync($"/v2/{repository}/manifests/{reference}");
            await unknown.AssertErrorAsync(HttpStatusCode.NotFound, "MANIFEST_UNKNOWN");
            using var head = await Client.SendAsync("HEAD", $"/v2/{repository}/manifests/{reference}");
            head.AssertStatus(HttpStatusCode.NotFound);
            Assert.Equal(Headers(unknown), Headers(head));
        }
    }

    private static SortedDictionary<string, string> Headers(HttpResponseMessage response) =>
        new(response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated)
            .Where(header => header.Key is not ("Date" or "X-Request-ID"))
            .ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.Ordinal), StringComparer.Ordinal);
}
