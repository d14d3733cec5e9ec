using static Gantry.Oci.Tests.SampleDocuments;

namespace Gantry.Oci.Tests;

public sealed class ManifestDocumentTests
{
    [Fact]
    public void Accepts_OciManifest()
    {
        var document = Read(OciManifest, MediaTypes.OciManifest);

        Assert.Equal(ManifestKind.Manifest, document.Kind);
        Assert.Equal(MediaTypes.OciManifest, document.MediaType);
        Assert.Equal(new Descriptor(MediaTypes.OciConfig, Digest.Parse(Sha256), 2), document.Config);
        Assert.Equal(1024, Assert.Single(document.Layers).Size);
        Assert.Empty(document.Manifests);
        Assert.Equal(MediaTypes.OciConfig, document.ArtifactType);
        Assert.Null(document.Subject);
        Assert.Null(document.Annotations);
    }

    [Fact]
    public void Accepts_DockerManifestAndList()
    {
        var manifest = Read(DockerManifest, MediaTypes.DockerManifest);
        Assert.Equal(ManifestKind.Manifest, manifest.Kind);
        Assert.Equal("application/vnd.docker.container.image.v1+json", manifest.ArtifactType);

        var list = Read(DockerManifestList, MediaTypes.DockerManifestList);
        Assert.Equal(ManifestKind.Index, list.Kind);
        Assert.Equal(new Platform("linux", "arm", "v7", "10.0"), Assert.Single(list.Manifests).Platform);
        Assert.Null(list.ArtifactType);
        Assert.Null(list.Config);
    }

    [Fact]
    [Trait("Protocol", "D3.39")]
    public void Accepts_IndexOfLayerBlobs()
    {
        var document = Read(BuildKitCache, MediaTypes.OciIndex);

        Assert.Equal(ManifestKind.Index, document.Kind);
        Assert.Equal("application/vnd.buildkit.cacheconfig.v0", document.Manifests[1].MediaType);
        Assert.Null(document.Manifests[0].Platform);
    }

    [Fact]
    [Trait("Protocol", "D3.40")]
    public void Accepts_UnknownPlatform() =>
        Assert.Equal(new Platform("unknown", "unknown"), Read(Attestation).Manifests[1].Platform);

    [Fact]
    [Trait("Protocol", "D3.48")]
    public void Accepts_ArtifactWithSubject()
    {
        var document = Read(Signature, MediaTypes.OciManifest);

        Assert.Equal("application/vnd.example.signature.v1", document.ArtifactType);
        Assert.Equal(new Descriptor(MediaTypes.OciManifest, Digest.Parse(Sha512), 1234), document.Subject);
        Assert.Equal("2026-01-02T03:04:05Z", document.Annotations!["org.opencontainers.image.created"]);
        Assert.Equal("text/plain; charset=utf-8", document.Layers[0].MediaType);
        Assert.Equal("a.sig", document.Layers[0].Annotations!["org.opencontainers.image.title"]);
        Assert.Equal(DigestAlgorithm.Sha512, document.Layers[0].Digest.Algorithm);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"artifactType\":\"\",")]
    [InlineData("\"artifactType\":null,")]
    [Trait("Protocol", "D3.48")]
    public void Accepts_EmptyArtifactTypeAsAbsent(string artifactType)
    {
        var manifest = $$"""{"schemaVersion":2,{{artifactType}}"config":{{Config.Replace(MediaTypes.OciConfig, MediaTypes.OciEmpty)}},"layers":[]}""";
        Assert.Equal(MediaTypes.OciEmpty, Read(manifest).ArtifactType);

        var index = $$"""{"schemaVersion":2,{{artifactType}}"manifests":[]}""";
        Assert.Null(Read(index).ArtifactType);
    }

    [Fact]
    [Trait("Protocol", "D3.38")]
    public void Accepts_AnyConfigLayerAndArtifactType()
    {
        var document = Read($$"""
            {"schemaVersion":2,"artifactType":"no/grammar/at;all","config":{"mediaType":"x","digest":"{{Sha256}}","size":0},
             "layers":[{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"{{Sha256}}","size":1}]}
            """);

        Assert.Equal("no/grammar/at;all", document.ArtifactType);
        Assert.Equal("x", document.Config!.MediaType);
    }

    [Fact]
    [Trait("Protocol", "D3.42")]
    public void Accepts_NoLayersDataAndUnknownFields()
    {
        var document = Read($$"""
            {"schemaVersion":2,"config":{"mediaType":"a/b","digest":"{{Sha256}}","size":2,"data":"e30=","new":[{"x":null}]},
             "layers":[],"org.example":{"manifests":[1],"layers":2},"more":1.5e300}
            """, MediaTypes.OciManifest);

        Assert.Empty(document.Layers);
    }

    [Fact]
    [Trait("Protocol", "D3.42")]
    public void Accepts_NestedIndex() =>
        Assert.Equal(MediaTypes.OciIndex, Read(OciIndex.Replace(
            $$"""[{"mediaType":"{{MediaTypes.OciManifest}}""", $$"""[{"mediaType":"{{MediaTypes.OciIndex}}""")).Manifests[0].MediaType);

    [Fact]
    public void Accepts_SameLayerTwiceInOrder()
    {
        var document = Read(OciManifest.Replace($"[{Layer}]", $"[{Layer},{Config},{Layer}]"));
        Assert.Equal([1024, 2, 1024], document.Layers.Select(layer => layer.Size));
    }

    [Fact]
    public void Accepts_NullWhereGoClientsWriteIt()
    {
        Assert.Empty(Read($$"""{"schemaVersion":2,"config":{{Config}},"layers":null,"subject":null,"annotations":null,"manifests":null}""").Layers);
        Assert.Empty(Read("""{"schemaVersion":2,"manifests":null}""", MediaTypes.OciIndex).Manifests);
    }

    [Fact]
    public void Accepts_LargestSizeAndEveryAnnotation()
    {
        var document = Read($$$"""
            {"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"{{{Sha256}}}","size":9223372036854775807}],
             "annotations":{"":"","nul":"a\u0000b","\u00e9\ud83d\ude00":"\"","x":"\u007f"}}
            """);

        Assert.Equal(long.MaxValue, document.Manifests[0].Size);
        Assert.Equal("a\0b", document.Annotations!["nul"]);
        Assert.Equal("\"", document.Annotations["é😀"]);
        Assert.Equal(4, document.Annotations.Count);
    }

    [Fact]
    [Trait("Protocol", "D3.41")]
    public void Accepts_FourMebibytes()
    {
        var padding = new string(' ', ManifestDocument.MaxBytes - OciManifest.Length);
        Assert.Single(Read(OciManifest + padding).Layers);
        Assert.StartsWith("larger than", Refused(OciManifest + padding + " "), StringComparison.Ordinal);
    }
}
