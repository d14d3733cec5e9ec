using static Gantry.Oci.Tests.SampleDocuments;

namespace Gantry.Oci.Tests;

public sealed class ManifestMediaTypeTests
{
    private const string Untyped = $$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{Layer}}]}""";
    private const string UntypedIndex = $$"""{"schemaVersion":2,"manifests":[{{Child}}]}""";

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("application/json")]
    [InlineData("application/octet-stream")]
    public void Accepts_AbsentContentType(string? contentType)
    {
        Assert.Equal(MediaTypes.DockerManifest, Read(DockerManifest, contentType).MediaType);
        Assert.Equal(MediaTypes.OciManifest, Read(Untyped, contentType).MediaType);
        Assert.Equal(MediaTypes.OciIndex, Read(UntypedIndex, contentType).MediaType);
        Assert.Equal(MediaTypes.OciIndex, Read(UntypedIndex.Replace("""{"s""", """{"mediaType":"","s"""), contentType).MediaType);
    }

    [Theory]
    [InlineData(Untyped, MediaTypes.DockerManifest)]
    [InlineData(Untyped, MediaTypes.OciManifest)]
    [InlineData(UntypedIndex, MediaTypes.DockerManifestList)]
    [InlineData(Untyped, "application/vnd.example+json")]
    [Trait("Protocol", "D3.37")]
    public void Accepts_ContentTypeOfUntypedDocument(string json, string contentType) =>
        Assert.Equal(contentType, Read(json, contentType).MediaType);

    [Theory]
    [InlineData(OciManifest, MediaTypes.DockerManifest)]
    [InlineData(OciManifest, MediaTypes.OciIndex)]
    [InlineData(OciIndex, MediaTypes.OciManifest)]
    [InlineData(OciManifest, "application/vnd.example+json")]
    [InlineData(RetiredArtifact, MediaTypes.OciManifest)]
    public void Rejects_ContradictingTypes(string json, string contentType) =>
        Assert.Contains("contradicts", Refused(json, contentType), StringComparison.Ordinal);

    [Theory]
    [InlineData(Untyped, MediaTypes.OciIndex)]
    [InlineData(UntypedIndex, MediaTypes.OciManifest)]
    [InlineData(Untyped, MediaTypes.DockerManifestList)]
    [InlineData(UntypedIndex, MediaTypes.DockerManifest)]
    public void Rejects_TypeOfTheOtherShape(string json, string contentType) =>
        Assert.Contains("other shape", Refused(json, contentType), StringComparison.Ordinal);

    /// <summary>CVE-2021-41190: one client reads an image where another reads a list of images.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(MediaTypes.OciManifest)]
    [InlineData(MediaTypes.OciIndex)]
    [InlineData("application/vnd.example+json")]
    public void Rejects_BothManifestAndIndex(string? contentType)
    {
        foreach (var field in (string[])[$"\"config\":{Config}", $"\"layers\":[{Layer}]", $"\"blobs\":[{Layer}]", "\"layers\":[]"])
        {
            var detail = Refused($$"""{"schemaVersion":2,{{field}},"manifests":[{{Child}}]}""", contentType);
            Assert.Contains("both", detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Accepts_UnknownTypesByTheirShape()
    {
        const string Type = "application/vnd.example.anything";
        Assert.Equal(ManifestKind.Index, Read($$"""{"manifests":[{{Child}}]}""", Type).Kind);
        Assert.Single(Read($$"""{"layers":[{{Layer}}]}""", Type).Layers);
        Assert.NotNull(Read($$"""{"config":{{Config}}}""", Type).Config);
        Assert.Equal(2, Read($$"""{"layers":[{{Layer}}],"blobs":[{{Layer}}]}""", Type).Layers.Count);

        var bare = Read("""{"schemaVersion":1,"signatures":[],"anything":["goes"]}""", Type);
        Assert.Equal(ManifestKind.Manifest, bare.Kind);
        Assert.Empty(bare.Layers);
        Assert.Null(bare.ArtifactType);
        Assert.Equal(Type, bare.MediaType);
    }

    [Fact]
    public void Accepts_RetiredArtifactManifest()
    {
        var document = Read(RetiredArtifact, "application/vnd.oci.artifact.manifest.v1+json");
        Assert.Equal(1024, Assert.Single(document.Layers).Size);
        Assert.Equal("application/x.sbom", document.ArtifactType);
        Assert.NotNull(document.Subject);
    }

    [Fact]
    public void Accepts_DifferentUnknownTypesServingContentType() =>
        Assert.Equal("application/vnd.b", Read("""{"mediaType":"application/vnd.a"}""", "application/vnd.b").MediaType);

    [Theory]
    [InlineData("""{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[],"history":[]}""", null)]
    [InlineData("""{"schemaVersion":1,"name":"a"}""", null)]
    [InlineData("""{"schemaVersion":2,"signatures":[]}""", null)]
    [InlineData("""{"schemaVersion":1}""", MediaTypes.DockerSchema1)]
    [InlineData("""{"schemaVersion":1}""", MediaTypes.DockerSchema1Signed)]
    [InlineData($$"""{"schemaVersion":1,"mediaType":"{{MediaTypes.DockerSchema1}}"}""", null)]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"fsLayers":[{}]}""", MediaTypes.OciManifest)]
    [InlineData($$"""{"schemaVersion":1,"config":{{Config}},"layers":[]}""", MediaTypes.OciManifest)]
    [InlineData("""{"fsLayers":[]}""", "application/vnd.example")]
    public void Rejects_Schema1(string json, string? contentType) =>
        Assert.Contains("schema 1", Refused(json, contentType), StringComparison.Ordinal);

    [Theory]
    [InlineData("a b/c")]
    [InlineData("a/b\u0001")]
    [InlineData("a/b\r\nX: y")]
    [InlineData("a/é")]
    public void Rejects_TypeUnfitForAHeader(string type)
    {
        Assert.StartsWith("Content-Type: not a media type", Refused("{}", type), StringComparison.Ordinal);
        var json = $$"""{"mediaType":{{System.Text.Json.JsonSerializer.Serialize(type)}}}""";
        Assert.StartsWith("mediaType: not a media type", Refused(json), StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_LongType()
    {
        Assert.Equal(255, Read("{}", new string('a', 255)).MediaType.Length);
        Refused("{}", new string('a', 256));
    }
}
