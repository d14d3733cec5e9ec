using Gantry.Core.Browse;

namespace Gantry.Server.Ui;

/// <summary>What a referrer is in a person's word, guessed from what it calls itself.</summary>
internal static class ReferrerKind
{
    private static readonly (string Word, string[] Parts)[] Known =
    [
        ("Attestation", [".att", "in-toto", "slsa", "provenance", "attestation", "dsse"]),
        ("SBOM", [".sbom", "spdx", "cyclonedx", "syft", "sbom"]),
        ("Signature", [".sig", "signature", "sigstore", "notary", "cosign"]),
        ("Scan report", ["sarif", "vulnerab", "trivy"]),
    ];

    public static string Of(ReferrerNode node) => Of(node.Tag is { } tag ? Suffix(tag.ToString()) : "", node.ArtifactType, node.Annotations);

    /// <param name="suffix">Of the tag that makes it refer there; empty for none.</param>
    public static string Of(string suffix, string? artifactType, IReadOnlyDictionary<string, string>? annotations)
    {
        var bundle = annotations?.GetValueOrDefault("dev.sigstore.bundle.content") ?? "";
        var said = $"{suffix} {bundle} {artifactType}";
        return Array.Find(Known, kind => Array.Exists(kind.Parts, part => said.Contains(part, StringComparison.OrdinalIgnoreCase))).Word ?? "Artifact";
    }

    private static string Suffix(string tag) => tag.LastIndexOf('.') is var dot and >= 0 ? tag[dot..] : "";
}
