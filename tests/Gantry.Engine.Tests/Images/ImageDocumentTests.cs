using System.Text;
using Gantry.Engine.Images;
using Gantry.Oci;

namespace Gantry.Engine.Tests.Images;

public sealed class ImageDocumentTests
{
    private const string Config = $$"""{"mediaType":"{{MediaTypes.OciConfig}}","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}""";
    private const string Layer = """{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2""";

    [Fact]
    public void Read_OfManifest_GivesConfigAndLayersInOrder()
    {
        var document = Read($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{Layer}}},{{Layer}},"urls":["https://example.org/a"]}]}""");
        Assert.Equal(MediaTypes.OciManifest, document.Descriptor.MediaType);
        Assert.Equal(2, document.Config!.Size);
        Assert.Equal(2, document.Layers.Count);
        Assert.Empty(document.Layers[0].Urls);
        Assert.Equal(["https://example.org/a"], document.Layers[1].Urls);
    }

    [Fact]
    [Trait("Pull", "B87")]
    public void Read_WithInlineData_DecodesThem()
    {
        var document = Read($$"""{"schemaVersion":2,"config":{{Config[..^1]}},"data":"e30="},"layers":[]}""");
        Assert.Equal("{}"u8.ToArray(), document.Config!.Data!.Value.ToArray());
    }

    [Theory]
    [Trait("Pull", "C85")]
    [InlineData("\"e3s=\"", EngineFault.Mismatch)] // other bytes
    [InlineData("\"e30gIA==\"", EngineFault.Mismatch)] // longer
    [InlineData("\"\"", EngineFault.Mismatch)]
    [InlineData("\"!\"", EngineFault.InvalidDocument)]
    [InlineData("7", EngineFault.InvalidDocument)]
    public void Read_WithInlineDataThatDoNotMatch_IsRefused(string data, EngineFault fault) =>
        Refused(fault, $$"""{"schemaVersion":2,"config":{{Config[..^1]}},"data":{{data}}},"layers":[]}""");

    [Fact]
    [Trait("Pull", "B99")]
    public void Read_OfIndex_GivesTheFeaturesThatEntriesWant()
    {
        var document = Read($$$"""{"schemaVersion":2,"manifests":[{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"platform":{"os":"linux","architecture":"amd64","os.features":["nydus.remoteimage.v1"]}}]}""");
        Assert.Equal(["nydus.remoteimage.v1"], document.Manifests.Single().OsFeatures);
    }

    [Theory]
    [Trait("Pull", "B89")]
    [InlineData("""{"schemaVersion":1,"name":"a","fsLayers":[]}""", null)]
    [InlineData("""{"schemaVersion":1,"name":"a","fsLayers":[]}""", MediaTypes.OciManifest)]
    [InlineData("""{"schemaVersion":2,"fsLayers":[],"layers":[]}""", MediaTypes.DockerManifest)]
    [InlineData("""{"schemaVersion":2}""", MediaTypes.DockerSchema1Signed)]
    public void Read_OfSchema1_IsUnsupportedByName(string json, string? mediaType) =>
        Assert.Contains("schema 1", Refused(EngineFault.Unsupported, json, mediaType).Message, StringComparison.Ordinal);

    [Theory]
    [Trait("Pull", "B89")]
    [Trait("Pull", "B90")]
    [Trait("Pull", "C79")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"manifests":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"layers":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[],"Layers":[]}""")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{Layer}},"Data":"e30="}]}""")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{Layer}},"urls":[1]}]}""")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("")]
    public void Read_OfWhatTwoReadersSeeDifferently_IsRefused(string json) => Refused(EngineFault.InvalidDocument, json);

    [Fact]
    [Trait("Pull", "C80")]
    public void Read_OfIndexAnnouncedAsManifest_IsRefused() =>
        Refused(EngineFault.InvalidDocument, """{"schemaVersion":2,"manifests":[]}""", MediaTypes.OciManifest);

    [Fact]
    [Trait("Pull", "C82")]
    public void Read_OfTooManyLayers_IsRefused() => Refused(EngineFault.TooLarge,
        $$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{string.Join(',', Enumerable.Repeat(Layer + "}", ImageDocument.MaxLayers + 1))}}]}""");

    [Fact]
    [Trait("Pull", "C82")]
    public void Read_OfTooManyBytesOrLevels_IsRefused()
    {
        Refused(EngineFault.TooLarge, new string(' ', ManifestDocument.MaxBytes + 1));
        Refused(EngineFault.InvalidDocument, string.Concat(Enumerable.Repeat("{\"a\":", 65)) + "1" + new string('}', 65));
    }

    [Theory]
    [Trait("Pull", "B105")]
    [Trait("Pull", "C86")]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("sha256:44136FA355B3678A1146AD16F7E8649E94FB4FC21FE77E8310C060F61CAAFF8A")]
    [InlineData("sha256:44136fa3")]
    [InlineData("sha256:../../../../etc/passwd")]
    [InlineData("sha512:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")]
    [InlineData("blake3:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")]
    public void Read_WithWildDigest_IsRefused(string digest) => Refused(EngineFault.InvalidDocument,
        $$"""{"schemaVersion":2,"config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{digest}}","size":2},"layers":[]}""");

    [Fact]
    [Trait("Pull", "B106")]
    public void Read_WithNegativeSize_IsRefused() =>
        Refused(EngineFault.InvalidDocument, $$"""{"schemaVersion":2,"config":{{Config.Replace(":2}", ":-1}", StringComparison.Ordinal)}},"layers":[]}""");

    [Theory]
    [Trait("Pull", "B80")]
    [InlineData("application/vnd.oci.image.layer.v1.tar")]
    [InlineData("application/vnd.oci.image.layer.v1.tar+gzip")]
    [InlineData("application/vnd.oci.image.layer.v1.tar+zstd")]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")]
    [InlineData("application/vnd.docker.image.rootfs.diff.tar")]
    [InlineData("application/vnd.docker.image.rootfs.diff.tar.gzip")]
    [InlineData("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")]
    public void LayerMediaType_OfFiles_IsUnpacked(string mediaType) => Assert.Null(LayerMediaType.WhyNot(mediaType));

    [Theory]
    [Trait("Pull", "B81")]
    [Trait("Pull", "B82")]
    [InlineData("application/vnd.oci.image.layer.v1.tar+gzip+encrypted")]
    [InlineData("application/vnd.erofs.layer.v1")]
    [InlineData("application/vnd.oci.image.layer.nydus.blob.v1")]
    [InlineData("application/vnd.cncf.helm.chart.content.v1.tar+gzip")]
    [InlineData("application/vnd.oci.image.layer.v1.tarball")]
    [InlineData("application/vnd.oci.image.layer.v1.tar+xz")]
    public void LayerMediaType_OfAnythingElse_IsNamedInTheRefusal(string mediaType) =>
        Assert.Contains(mediaType, LayerMediaType.WhyNot(mediaType), StringComparison.Ordinal);

    internal static ImageDocument Read(string json, string? mediaType = null)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        return ImageDocument.Read(bytes, Digest.Of(bytes), mediaType);
    }

    private static EngineException Refused(EngineFault fault, string json, string? mediaType = null)
    {
        var refusal = Assert.Throws<EngineException>(() => Read(json, mediaType));
        Assert.Equal(fault, refusal.Fault);
        return refusal;
    }
}
