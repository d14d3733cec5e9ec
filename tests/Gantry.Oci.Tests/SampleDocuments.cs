using System.Text;

namespace Gantry.Oci.Tests;

/// <summary>Documents as real clients push them, and the pieces to make others from.</summary>
internal static class SampleDocuments
{
    public const string Sha256 = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    public const string Sha512 =
        "sha512:27c74670adb75075fad058d5ceaf7b20c4e7786c83bae8a32f626f9782af34c9"
        + "a33c2046ef60fd2a7878d378e29fec851806bbd9a67878f3a9f1cda4830763fd";

    public const string Layer =
        $$"""{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{{Sha256}}","size":1024}""";

    public const string Config =
        $$"""{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{Sha256}}","size":2}""";

    public const string OciManifest =
        $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{{Config}},"layers":[{{Layer}}]}""";

    public const string Child =
        $$$"""{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{Sha256}}}","size":500,"platform":{"architecture":"amd64","os":"linux"}}""";

    public const string OciIndex =
        $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{Child}}]}""";

    public const string DockerManifest =
        $$"""
        {
           "schemaVersion": 2,
           "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
           "config": {
              "mediaType": "application/vnd.docker.container.image.v1+json",
              "size": 1456,
              "digest": "{{Sha256}}"
           },
           "layers": [
              {
                 "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                 "size": 50449409,
                 "digest": "{{Sha256}}"
              }
           ]
        }
        """;

    public const string DockerManifestList =
        $$$"""
        {"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[
          {"mediaType":"application/vnd.docker.distribution.manifest.v2+json","size":528,"digest":"{{{Sha256}}}",
           "platform":{"architecture":"arm","os":"linux","variant":"v7","features":["sse4"],"os.version":"10.0"}}]}
        """;

    /// <summary>BuildKit's attestation beside the image it speaks of.</summary>
    public const string Attestation =
        $$$"""
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{{Child}}},
          {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{{{Sha256}}}","size":566,
           "annotations":{"vnd.docker.reference.digest":"{{{Sha256}}}","vnd.docker.reference.type":"attestation-manifest"},
           "platform":{"architecture":"unknown","os":"unknown"}}]}
        """;

    /// <summary>BuildKit before 0.21: an index whose entries are layers and a cache config.</summary>
    public const string BuildKitCache =
        $$"""
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{Layer}},
          {"mediaType":"application/vnd.buildkit.cacheconfig.v0","digest":"{{Sha256}}","size":300}]}
        """;

    /// <summary>What cosign, oras and notation push: an artifact that speaks of a subject.</summary>
    public const string Signature =
        $$$"""
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
         "artifactType":"application/vnd.example.signature.v1",
         "config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{{{Sha256}}}","size":2,"data":"e30="},
         "layers":[{"mediaType":"text/plain; charset=utf-8","digest":"{{{Sha512}}}","size":0,"urls":["https://example.com/x"],
           "annotations":{"org.opencontainers.image.title":"a.sig"}}],
         "subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{{{Sha512}}}","size":1234},
         "annotations":{"org.opencontainers.image.created":"2026-01-02T03:04:05Z"}}
        """;

    /// <summary>The OCI artifact manifest that the 1.1 release candidates had.</summary>
    public const string RetiredArtifact =
        $$"""
        {"mediaType":"application/vnd.oci.artifact.manifest.v1+json","artifactType":"application/x.sbom",
         "blobs":[{{Layer}}],"subject":{{Child}}}
        """;

    public static readonly string[] All =
    [
        OciManifest, OciIndex, DockerManifest, DockerManifestList, Attestation, BuildKitCache, Signature, RetiredArtifact,
    ];

    public static ManifestDocument Read(string json, string? contentType = null) =>
        ManifestDocument.Parse(Encoding.UTF8.GetBytes(json), contentType);

    /// <summary>Asserts that the document is refused as the contract says, and returns the detail.</summary>
    public static string Refused(byte[] content, string? contentType = null)
    {
        var refusal = Assert.Throws<OciException>(() => ManifestDocument.Parse(content, contentType));
        Assert.Equal(OciErrorCode.ManifestInvalid, refusal.Code);
        Assert.NotNull(refusal.Detail);
        Assert.InRange(refusal.Detail.Length, 1, 300);
        Assert.DoesNotContain(refusal.Detail, c => c is < ' ' or > '~');
        return refusal.Detail;
    }

    public static string Refused(string json, string? contentType = null) =>
        Refused(Encoding.UTF8.GetBytes(json), contentType);
}
