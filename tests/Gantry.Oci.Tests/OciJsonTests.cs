using System.Buffers;
using System.Text;
using System.Text.Json;
using Gantry.Oci.Serialization;

namespace Gantry.Oci.Tests;

public sealed class OciJsonTests
{
    [Fact]
    [Trait("Protocol", "D4.68")]
    public void Errors_HaveTheEnvelope()
    {
        var json = Written(writer => OciJson.WriteErrors(
            writer, (OciErrorCode.ManifestBlobUnknown, "sha256:x"), (OciErrorCode.TooManyRequests, null)));

        Assert.Equal(
            """{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"manifest references a manifest or blob unknown to registry","detail":"sha256:x"},"""
            + """{"code":"TOOMANYREQUESTS","message":"too many requests"}]}""",
            json);
    }

    [Fact]
    public void Errors_HaveATextForEveryCode() => Assert.All(Enum.GetValues<OciErrorCode>(), code =>
    {
        var json = Written(writer => OciJson.WriteErrors(writer, (code, "\"\n\0é<")));
        var error = JsonDocument.Parse(json).RootElement.GetProperty("errors")[0];
        Assert.Equal(code.ToString(), error.GetProperty("code").GetString()!.Replace("_", ""), ignoreCase: true);
        Assert.Equal("\"\n\0é<", error.GetProperty("detail").GetString());
        Assert.InRange(code.Text().Status, 400, 599);
    });

    [Fact]
    [Trait("Protocol", "D3.48")]
    public void Index_RoundTripsThroughTheReader()
    {
        Descriptor[] manifests =
        [
            new(MediaTypes.OciManifest, Digest.Parse(SampleDocuments.Sha256), 7),
            new(MediaTypes.OciIndex, Digest.Parse(SampleDocuments.Sha512), long.MaxValue, "application/x",
                new Dictionary<string, string> { ["a"] = "b\0\"é", [""] = "" }, new Platform("linux", "arm", "v7", "1")),
        ];

        var read = ManifestDocument.Parse(Encoding.UTF8.GetBytes(Written(w => OciJson.WriteIndex(w, manifests))), null);
        Assert.Equal(MediaTypes.OciIndex, read.MediaType);
        Assert.Equal(manifests[0], read.Manifests[0]);
        Assert.Equal(manifests[1] with { Annotations = null }, read.Manifests[1] with { Annotations = null });
        Assert.Equal(manifests[1].Annotations, read.Manifests[1].Annotations);
    }

    [Fact]
    [Trait("Protocol", "D3.47")]
    public void Index_OfNothingHasAnEmptyList() => Assert.Equal(
        """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}""",
        Written(writer => OciJson.WriteIndex(writer, []), unescaped: true));

    private static string Written(Action<Utf8JsonWriter> write, bool unescaped = false)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var encoder = unescaped ? System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping : null;
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = encoder })) write(writer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
