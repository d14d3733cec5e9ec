using System.Net;
using System.Text;
using Gantry.Oci;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.ManifestCalls;

namespace Gantry.Server.Tests.V2;

/// <summary>What clients push and other registries were found to refuse.</summary>
public sealed class ManifestAcceptanceTests(RegistryFixture registry)
{
    private const string AnyLayer = "application/vnd.oci.image.layer.v1.tar";
    private HttpClient Client => registry.Client;

    [Theory]
    [Trait("Protocol", "D3.38")]
    [Trait("Protocol", "D3.45")]
    [InlineData("application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart.content.v1.tar+gzip", null)]
    [InlineData("application/vnd.oci.empty.v1+json", "application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.dev.sigstore.bundle.v0.3+json")]
    [InlineData("application/vnd.wasm.config.v0+json", "application/wasm", "application/x.anything; v=1")]
    [InlineData("x/y", "whatever", "z")]
    public async Task Put_AnyTypes_AreAccepted(string config, string layer, string? artifactType)
    {
        var repository = registry.NewRepository();
        var blob = await Client.PushBlobAsync(repository, "layer"u8.ToArray());
        var own = artifactType is null ? "" : $"\"artifactType\":\"{artifactType}\",";

        await AssertAcceptedAsync(repository, $$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}",{{own}}
             "config":{{await Client.PushConfigAsync(repository, config)}},"layers":[{{Descriptor(layer, blob, 5)}}]}
            """);
    }

    [Fact]
    [Trait("Protocol", "D3.38")]
    public async Task Put_EmptyConfigBlob_IsAccepted()
    {
        var repository = registry.NewRepository();
        var empty = await Client.PushBlobAsync(repository, []);

        await AssertAcceptedAsync(repository, $$"""
            {"schemaVersion":2,"config":{{Descriptor(MediaTypes.OciConfig, empty, 0)}},"layers":[]}
            """);
    }

    [Fact]
    [Trait("Protocol", "D3.39")]
    public async Task Put_BuildKitCache_KeepsItsBlobs()
    {
        var repository = registry.NewRepository();
        var layer = await Client.PushBlobAsync(repository, "cached layer"u8.ToArray());
        var config = await Client.PushBlobAsync(repository, "{\"layers\":[]}"u8.ToArray());
        var cache = await AssertAcceptedAsync(repository, $$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[
              {{Descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", layer, 12)}},
              {{Descriptor("application/vnd.buildkit.cacheconfig.v0", config, 13)}}]}
            """, MediaTypes.OciIndex);

        foreach (var blob in (Digest[])[layer, config])
        {
            using var delete = await Client.DeleteAsync($"/v2/{repository}/blobs/{blob}");
            var detail = await delete.AssertErrorAsync(HttpStatusCode.Conflict, "DENIED");
            Assert.Contains(cache.ToString(), detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    [Trait("Protocol", "D3.40")]
    public async Task Put_IndexWithAttestations_IsAccepted()
    {
        var repository = registry.NewRepository();
        var image = await Client.PushImageAsync(repository, null, "image"u8.ToArray());
        var attestation = await Client.PushImageAsync(repository, null, "attestation"u8.ToArray());

        const string arm = ",\"platform\":{\"architecture\":\"arm\",\"os\":\"linux\",\"variant\":\"v7\"}";
        const string unknown = ",\"platform\":{\"architecture\":\"unknown\",\"os\":\"unknown\"}";
        var about = $",\"annotations\":{{\"vnd.docker.reference.type\":\"attestation-manifest\",\"vnd.docker.reference.digest\":\"{image}\"}}";
        await AssertAcceptedAsync(repository, $$"""
            {"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[
              {{Descriptor(MediaTypes.OciManifest, image, 1, arm)}},
              {{Descriptor(MediaTypes.OciManifest, attestation, 1, about + unknown)}}]}
            """, MediaTypes.OciIndex);
    }

    [Fact]
    [Trait("Protocol", "D3.42")]
    public async Task Put_NestedIndex_IsAccepted()
    {
        var repository = registry.NewRepository();
        var image = await Client.PushImageAsync(repository, null);
        var inner = await Client.PushManifestAsync(repository, null,
            RegistryClient.IndexJson((MediaTypes.OciManifest, image, 1)), MediaTypes.OciIndex);

        await AssertAcceptedAsync(repository,
            RegistryClient.IndexJson((MediaTypes.OciIndex, inner, 1), (MediaTypes.OciManifest, image, 1)), MediaTypes.OciIndex);
    }

    [Theory]
    [Trait("Protocol", "D3.42")]
    [InlineData("manifest", "\"layers\":[]")]
    [InlineData("manifest", "\"layers\":null")]
    [InlineData("manifest", "\"layers\":[],\"org.unknown\":{\"deep\":[1,2.5,null,true]},\"signature\":\"x\"")]
    [InlineData("manifest", "\"layers\":[LAYER_WITH_DATA]")]
    [InlineData("manifest", "\"layers\":[MISSING_NONDISTRIBUTABLE,MISSING_FOREIGN]")]
    [InlineData("index", "\"manifests\":[]")]
    [InlineData("index", "\"manifests\":[],\"artifactType\":\"a/b\",\"annotations\":{}")]
    public async Task Put_UnusualButAllowed_IsAccepted(string kind, string fields)
    {
        var repository = registry.NewRepository();
        var blob = await Client.PushBlobAsync(repository, "data"u8.ToArray());
        var missing = Digest.Of(Guid.NewGuid().ToByteArray());
        fields = fields
            .Replace("LAYER_WITH_DATA", Descriptor(AnyLayer, blob, 4, ",\"data\":\"ZGF0YQ==\""), StringComparison.Ordinal)
            .Replace("MISSING_NONDISTRIBUTABLE", Descriptor("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", missing, 9,
                ",\"urls\":[\"https://example.com/layer\"]"), StringComparison.Ordinal)
            .Replace("MISSING_FOREIGN", Descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", missing, 9), StringComparison.Ordinal);

        var type = kind == "index" ? MediaTypes.OciIndex : MediaTypes.OciManifest;
        if (kind == "manifest") fields = $"\"config\":{await Client.PushConfigAsync(repository)},{fields}";
        await AssertAcceptedAsync(repository, $$"""{"schemaVersion":2,"mediaType":"{{type}}",{{fields}}}""", type);
    }

    [Theory]
    [Trait("Protocol", "D3.46")]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Put_WithSubject_NamesIt(bool byTag, bool subjectExists)
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var subject = subjectExists ? await Client.PushImageAsync(repository, null) : Digest.Of(Guid.NewGuid().ToByteArray());
        var json = RegistryClient.ImageJson([], subject);

        using var put = await Client.PutManifestAsync(repository, byTag ? "v1" : $"{Digest.Of(Encoding.UTF8.GetBytes(json))}", json);

        put.AssertStatus(HttpStatusCode.Created);
        Assert.Equal(subject.ToString(), put.RawHeader("OCI-Subject"));
    }

    [Fact]
    [Trait("Protocol", "D3.46")]
    public async Task Put_IndexWithSubject_NamesIt_AndWithoutDoesNot()
    {
        var repository = registry.NewRepository();
        var subject = Digest.Of("nowhere"u8, DigestAlgorithm.Sha512);
        var with = $$"""{"schemaVersion":2,"manifests":[],"subject":{{Descriptor(MediaTypes.OciManifest, subject, 7)}}}""";

        using var put = await Client.PutManifestAsync(repository, "with", with, MediaTypes.OciIndex);
        using var without = await Client.PutManifestAsync(repository, "without", RegistryClient.IndexJson(), MediaTypes.OciIndex);

        put.AssertStatus(HttpStatusCode.Created);
        without.AssertStatus(HttpStatusCode.Created);
        Assert.Equal(subject.ToString(), put.RawHeader("OCI-Subject"));
        Assert.Null(without.RawHeader("OCI-Subject"));
    }

    /// <summary>Exactly 201 under digest and tag, and pullable with the same bytes.</summary>
    private async Task<Digest> AssertAcceptedAsync(string repository, string json, string mediaType = MediaTypes.OciManifest)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        var digest = Digest.Of(bytes);
        foreach (var reference in (string[])[digest.ToString(), "tag"])
        {
            using var put = await Client.PutManifestAsync(repository, reference, bytes, mediaType);
            put.AssertStatus(HttpStatusCode.Created);
            Assert.Equal(bytes, await Client.GetByteArrayAsync($"/v2/{repository}/manifests/{reference}"));
        }

        return digest;
    }
}
