using System.Text;
using static Gantry.Oci.Tests.SampleDocuments;

namespace Gantry.Oci.Tests;

public sealed class ManifestRejectionTests
{
    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"x\"")]
    [InlineData("{")]
    [InlineData("{}x")]
    [InlineData("{}{}")]
    [InlineData("{'a':1}")]
    [InlineData("{\"a\":1,}")]
    [InlineData("{/* c */\"a\":1}")]
    [InlineData("{\"a\":01}")]
    [InlineData("{\"a\":NaN}")]
    [InlineData("{\"a\":\"\n\"}")]
    [InlineData("\uFEFF{}")]
    public void Rejects_WhatIsNotStrictJson(string json) => Refused(json, "application/vnd.example");

    [Theory]
    [InlineData("""{"a":1,"a":1}""")]
    [InlineData("""{"a":1,"\u0061":1}""")]
    [InlineData("""{"a":[{"b":{"c":1,"d":2,"c":3}}]}""")]
    [InlineData("""{"annotations":{"k":"1","k":"2"}}""")]
    [InlineData("""{"":1,"":2}""")]
    public void Rejects_DuplicateKeysAnywhere(string json) =>
        Assert.Contains("Duplicate", Refused(json, "application/vnd.example"), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"Manifests":[]}""", "manifests")]
    [InlineData("""{"CONFIG":{}}""", "config")]
    [InlineData("""{"layer\u017f":[]}""", "layers")]
    public void Rejects_NamesThatGoReadsAsKnownOnes(string json, string meant) =>
        Assert.Contains($"must be written {meant}", Refused(json, "application/vnd.example"), StringComparison.Ordinal);

    [Fact]
    public void Rejects_CaseVariantsInDescriptors()
    {
        var detail = Refused(OciManifest.Replace($"[{Layer}]", $"[{Layer.Replace("size", "Size")}]"));
        Assert.Equal("layers[0].Size: must be written size", detail);
    }

    [Fact]
    public void Rejects_InvalidUtf8()
    {
        byte[][] broken = [[0xC3, 0x28], [0xED, 0xA0, 0x80], [0xFF], [0xC0, 0xAF], [0xF4, 0x90, 0x80, 0x80]];
        foreach (var bytes in broken)
        {
            byte[] content = [.. "{\"a\":\""u8, .. bytes, .. "\"}"u8];
            Assert.Equal("not UTF-8", Refused(content, "application/vnd.example"));
        }
    }

    [Theory]
    [InlineData("""{"mediaType":"\ud800"}""")]
    [InlineData("""{"\udc00":1,"\ud800":2}""")]
    [InlineData("""{"annotations":{"k":"\ud800"}}""")]
    [InlineData("""{"annotations":{"\ud800":"k"}}""")]
    public void Rejects_HalfSurrogates(string json) =>
        Assert.Contains("surrogate", Refused(json, "application/vnd.example"), StringComparison.Ordinal);

    [Fact]
    public void Rejects_DeepNesting()
    {
        static string Nested(int depth) =>
            "{\"x\":" + new string('[', depth - 1) + new string(']', depth - 1) + "}";

        Assert.Equal(ManifestKind.Manifest, Read(Nested(64), "application/vnd.example").Kind);
        Assert.Contains("deeper", Refused(Nested(65), "application/vnd.example"), StringComparison.Ordinal);
        Refused("{\"x\":" + new string('[', ManifestDocument.MaxBytes - 5), "application/vnd.example");
    }

    [Theory]
    [InlineData("{}", "mediaType: missing")]
    [InlineData($$"""{"config":{{Config}},"layers":[]}""", "schemaVersion: must be 2")]
    [InlineData($$"""{"schemaVersion":"2","config":{{Config}},"layers":[]}""", "schemaVersion: must be 2")]
    [InlineData($$"""{"schemaVersion":3,"config":{{Config}},"layers":[]}""", "schemaVersion: must be 2")]
    [InlineData($$"""{"schemaVersion":2.0,"config":{{Config}},"layers":[]}""", "schemaVersion: must be 2")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}}}""", "layers: missing")]
    [InlineData("""{"schemaVersion":2,"layers":[]}""", "config: missing")]
    [InlineData("""{"schemaVersion":2,"config":null,"layers":[]}""", "config: missing")]
    [InlineData("""{"schemaVersion":2,"config":[],"layers":[]}""", "config: not a descriptor")]
    [InlineData("""{"schemaVersion":2,"config":{},"layers":[]}""", "config.mediaType: missing")]
    [InlineData($$$"""{"schemaVersion":2,"config":{{{Config}}},"layers":{}}""", "layers: not an array")]
    [InlineData($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{Layer}},7]}""", "layers[1]: not a descriptor")]
    [InlineData("""{"schemaVersion":2,"manifests":"x"}""", "manifests: not an array")]
    [InlineData("""{"schemaVersion":2,"mediaType":5,"manifests":[]}""", "mediaType: not a string")]
    [InlineData("""{"schemaVersion":2,"artifactType":{},"manifests":[]}""", "artifactType: not a string")]
    [InlineData("""{"schemaVersion":2,"subject":"x","manifests":[]}""", "subject: not a descriptor")]
    [InlineData("""{"schemaVersion":2,"subject":{"mediaType":"a/b"},"manifests":[]}""", "subject.digest: missing")]
    [InlineData("""{"schemaVersion":2,"annotations":[],"manifests":[]}""", "annotations: not an object")]
    [InlineData("""{"schemaVersion":2,"annotations":{"k":1},"manifests":[]}""", "annotations: the value of \"k\" is not a string")]
    [InlineData("""{"schemaVersion":2,"annotations":{"k":null},"manifests":[]}""", "annotations: the value of \"k\" is not a string")]
    public void Rejects_BrokenFields(string json, string detail) =>
        Assert.StartsWith(detail, Refused(json), StringComparison.Ordinal);

    [Fact]
    public void Rejects_IndexWithoutManifests() =>
        Assert.Equal("manifests: missing", Refused("""{"schemaVersion":2}""", MediaTypes.OciIndex));

    [Theory]
    [InlineData("\"\"", "missing|not a digest")]
    [InlineData("5", "not a string")]
    [InlineData("null", "missing")]
    [InlineData("\"sha256:44136FA355B3678A1146AD16F7E8649E94FB4FC21FE77E8310C060F61CAAFF8A\"", "not a digest")]
    [InlineData("\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8\"", "not a digest")]
    [InlineData("\"sha512:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"", "not a digest")]
    [InlineData("\"md5:d41d8cd98f00b204e9800998ecf8427e\"", "not a digest")]
    [InlineData("\"sha256:../../../etc/passwd\"", "not a digest")]
    [Trait("Protocol", "D3.43")]
    public void Rejects_WildDigests(string digest, string words)
    {
        var detail = Refused($$$"""{"schemaVersion":2,"manifests":[{{{Child}}},{"mediaType":"a/b","size":1,"digest":{{{digest}}}}]}""");
        Assert.StartsWith("manifests[1].digest: ", detail, StringComparison.Ordinal);
        Assert.Contains(words.Split('|'), word => detail.Contains(word, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("1.0")]
    [InlineData("1e3")]
    [InlineData("9223372036854775808")]
    [InlineData("\"1\"")]
    [InlineData("true")]
    public void Rejects_WildSizes(string size) =>
        Assert.StartsWith("manifests[0].size: not a whole number", Refused(
            $$$"""{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"{{{Sha256}}}","size":{{{size}}}}]}"""), StringComparison.Ordinal);

    [Theory]
    [InlineData("\" a/b\"")]
    [InlineData("\"a/b \"")]
    [InlineData("\"a/\\u0000\"")]
    [InlineData("\"a/\\u00e9\"")]
    [InlineData("[]")]
    public void Rejects_WildDescriptorMediaTypes(string type) =>
        Assert.StartsWith("manifests[0].mediaType: not a ", Refused(
            $$"""{"schemaVersion":2,"manifests":[{"mediaType":{{type}},"digest":"{{Sha256}}","size":1}]}"""), StringComparison.Ordinal);

    [Theory]
    [InlineData("[]", "platform: not an object")]
    [InlineData("{\"os\":1}", "platform.os: not a string")]
    [InlineData("{\"OS\":\"linux\"}", "platform.OS: must be written os")]
    public void Rejects_WildPlatforms(string platform, string detail) =>
        Assert.Equal($"manifests[0].{detail}", Refused(
            $$$"""{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"{{{Sha256}}}","size":1,"platform":{{{platform}}}}]}"""));

    [Fact]
    public void Detail_NeverEchoesLongInput()
    {
        var secret = new string('s', 5000);
        string[] documents =
        [
            $$"""{"mediaType":" {{secret}}"}""",
            $$"""{"{{secret}}":1,"{{secret}}":2}""",
            $$$"""{"annotations":{"{{{secret}}}":1}}""",
            $$"""{"schemaVersion":2,"manifests":[{"mediaType":"a/b","size":1,"digest":"{{secret}}"}]}""",
            $$"""{"a":{{secret}}}""",
            $$"""{"a":nul{{secret}}}""",
        ];
        foreach (var document in documents) Assert.DoesNotContain(new string('s', 65), Refused(document), StringComparison.Ordinal);
        Refused(Encoding.UTF8.GetBytes(OciManifest), secret);
    }
}
