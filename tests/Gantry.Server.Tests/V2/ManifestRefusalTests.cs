using System.Net;
using System.Text;
using Gantry.Oci;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.ManifestCalls;

namespace Gantry.Server.Tests.V2;

/// <summary>What is no manifest, too large a one, or one under a name that is none.</summary>
public sealed class ManifestRefusalTests(RegistryFixture registry)
{
    private HttpClient Client => registry.Client;

    [Theory]
    [Trait("Protocol", "D3.41")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Put_Of4MiB_IsStoredAndServed(bool chunked)
    {
        var repository = registry.NewRepository();
        var bytes = await DocumentAsync(repository, ManifestDocument.MaxBytes);

        using var put = await PutAsync(repository, bytes, chunked);

        put.AssertStatus(HttpStatusCode.Created);
        Assert.Equal(bytes, await Client.GetByteArrayAsync($"/v2/{repository}/manifests/large"));
    }

    [Theory]
    [Trait("Protocol", "D3.41")]
    [InlineData(ManifestDocument.MaxBytes + 1, true)]
    [InlineData(ManifestDocument.MaxBytes + 1, false)]
    [InlineData(9 * 1024 * 1024, true)]
    [InlineData(9 * 1024 * 1024, false)]
    public async Task Put_OfMore_IsTooLarge(int size, bool chunked)
    {
        var repository = registry.NewRepository();
        var bytes = await DocumentAsync(repository, size);

        using var put = await PutAsync(repository, bytes, chunked);

        await put.AssertErrorAsync(HttpStatusCode.RequestEntityTooLarge, "SIZE_INVALID");
        using var get = await Client.GetAsync($"/v2/{repository}/manifests/large");
        get.AssertStatus(HttpStatusCode.NotFound);
    }

    [Theory]
    [Trait("Protocol", "D3.42")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("\uFEFF{\"schemaVersion\":2,\"config\":CONFIG,\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"config\":CONFIG,\"layers\":[]} {}")]
    [InlineData("{\"schemaVersion\":2,\"config\":CONFIG,\"layers\":[],}")]
    [InlineData("{\"schemaVersion\":2,\"schemaVersion\":2,\"config\":CONFIG,\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"config\":CONFIG,\"layers\":[],\"annotations\":{\"a\":\"1\",\"a\":\"2\"}}")]
    [InlineData("{\"schemaVersion\":2,\"config\":CONFIG,\"layers\":[],\"l\\u0061yers\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"config\":CONFIG,\"layers\":[],\"manifests\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"config\":CONFIG,\"layers\":[],\"Layers\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"manifests\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"config\":CONFIG,\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":1,\"config\":CONFIG,\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a/b\",\"digest\":\"sha256:../../etc\",\"size\":2},\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a/b\",\"digest\":\"DIGEST\",\"size\":-1},\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"config\":CONFIG,\"layers\":[],\"artifactType\":\"line\\nbreak\"}")]
    public async Task Put_WhatIsNoManifest_IsInvalid(string template)
    {
        var repository = registry.NewRepository();
        var json = template
            .Replace("CONFIG", await Client.PushConfigAsync(repository), StringComparison.Ordinal)
            .Replace("DIGEST", Digest.Of(RegistryClient.EmptyConfig).ToString(), StringComparison.Ordinal);

        using var put = await Client.PutManifestAsync(repository, "v1", json);

        Assert.NotNull(await put.AssertErrorAsync(HttpStatusCode.BadRequest, "MANIFEST_INVALID"));
    }

    [Fact]
    [Trait("Protocol", "D3.42")]
    public async Task Put_NamingWhatIsNotThere_SaysWhat()
    {
        var repository = registry.NewRepository();
        var config = await Client.PushConfigAsync(repository);
        var elsewhere = await Client.PushBlobAsync(registry.NewRepository(), "in another repository"u8.ToArray());

        using var layer = await Client.PutManifestAsync(repository, "v1",
            $$"""{"schemaVersion":2,"config":{{config}},"layers":[{{Descriptor("a/b", elsewhere, 21)}}]}""");
        using var child = await Client.PutManifestAsync(repository, "v1",
            RegistryClient.IndexJson((MediaTypes.OciManifest, elsewhere, 21)), MediaTypes.OciIndex);

        foreach (var put in (HttpResponseMessage[])[layer, child])
        {
            var detail = await put.AssertErrorAsync(HttpStatusCode.NotFound, "MANIFEST_BLOB_UNKNOWN");
            Assert.Contains(elsewhere.ToString(), detail, StringComparison.Ordinal);
        }
    }

    public static TheoryData<string, string> WildReferences
    {
        get
        {
            const string hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
            var data = new TheoryData<string, string>();
            foreach (var digest in (string[])
                ["sha256:", "sha256:baddigeststring", $"sha256:{hex}0", $"sha256:{hex[1..]}", $"sha256:{hex.ToUpperInvariant()}",
                 $"SHA256:{hex}", $"md5:{hex[..32]}", $"sha512:{hex}", $":{hex}", $"sha256:sha256:{hex}", $"sha256:{hex[1..]}g",
                 $"sha256:{hex}%0A", "a:b"])
            {
                data.Add(digest, "DIGEST_INVALID");
            }

            foreach (var tag in (string[])
                [".hidden", "-dash", "a+b", "a%20b", "%61b%2Fc", "ta%C3%A9g", "a@b", "~", new string('a', 129), "a%0Ab", "$(x)", "'"])
            {
                data.Add(tag, "TAG_INVALID");
            }

            return data;
        }
    }

    [Theory]
    [Trait("Protocol", "D3.43")]
    [MemberData(nameof(WildReferences))]
    public async Task AnyMethod_OnAWildReference_IsBadRequest(string reference, string code)
    {
        var repository = registry.NewRepository();
        var config = await Client.PushConfigAsync(repository);
        var path = $"/v2/{repository}/manifests/{reference}";

        using var get = await Client.GetAsync(path);
        using var head = await Client.SendAsync("HEAD", path);
        using var put = await Client.PutManifestAsync(repository, reference, $$"""{"schemaVersion":2,"config":{{config}},"layers":[]}""");
        using var delete = await Client.DeleteAsync(path);

        foreach (var answer in (HttpResponseMessage[])[get, put, delete]) await answer.AssertErrorAsync(HttpStatusCode.BadRequest, code);
        head.AssertStatus(HttpStatusCode.BadRequest);
        if (code != "DIGEST_INVALID") return;

        foreach (var other in (string[])["blobs", "referrers"])
        {
            using var answer = await Client.GetAsync($"/v2/{repository}/{other}/{reference}");
            await answer.AssertErrorAsync(HttpStatusCode.BadRequest, code);
        }
    }

    [Theory]
    [Trait("Protocol", "D3.44")]
    [InlineData(DigestAlgorithm.Sha256)]
    [InlineData(DigestAlgorithm.Sha512)]
    public async Task Put_UnderAnotherDigest_IsRefused(DigestAlgorithm algorithm)
    {
        var repository = registry.NewRepository();
        var json = $$"""{"schemaVersion":2,"config":{{await Client.PushConfigAsync(repository)}},"layers":[]}""";
        var digest = Digest.Of(Encoding.UTF8.GetBytes(json), algorithm);

        using var put = await Client.PutManifestAsync(repository, digest.ToString(), json + "  ");

        await put.AssertErrorAsync(HttpStatusCode.BadRequest, "DIGEST_INVALID");
        using var get = await Client.GetAsync($"/v2/{repository}/manifests/{digest}");
        get.AssertStatus(HttpStatusCode.NotFound);
    }

    /// <summary>A manifest of exactly this size.</summary>
    private async Task<byte[]> DocumentAsync(string repository, int size)
    {
        var head = $$"""{"schemaVersion":2,"config":{{await Client.PushConfigAsync(repository)}},"layers":[],"padding":" """;
        return Encoding.UTF8.GetBytes(head.PadRight(size - 2) + "\"}");
    }

    private async Task<HttpResponseMessage> PutAsync(string repository, byte[] bytes, bool chunked)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/v2/{repository}/manifests/large");
        request.Content = RegistryClient.Bytes(bytes, MediaTypes.OciManifest);
        request.Headers.TransferEncodingChunked = chunked;
        // The answer may come before the body is through; Expect keeps the client from losing it over a broken pipe.
        request.Headers.ExpectContinue = true;
        return await Client.SendAsync(request);
    }
}
