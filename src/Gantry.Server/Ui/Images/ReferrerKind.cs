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

    /// <summary>An attestation of several things in their words: <c>Provenance, SBOM</c>.</summary>
    public static string Of(ReferrerNode node) => node.Index is not null
        ? string.Join(", ", node.Predicates.Select(OfPredicate).DefaultIfEmpty("Attestation").Distinct().Order(StringComparer.Ordinal))
        : Of(node.Tag is { } tag ? Suffix(tag.ToString()) : "", node.ArtifactType, node.Annotations);

    /// <param name="suffix">Of the tag that makes it refer there; empty for none.</param>
    public static string Of(string suffix, string? artifactType, IReadOnlyDictionary<string, string>? annotations)
    {
        var bundle = annotations?.GetValueOrDefault("dev.sigstore.bundle.content") ?? "";
        var said = $"{suffix} {bundle} {artifactType}";
        return Array.Find(Known, kind => Array.Exists(kind.Parts, part => said.Contains(part, StringComparison.OrdinalIgnoreCase))).Word ?? "Artifact";
    }

    private static string OfPredicate(string type) =>
        type.Contains("provenance", StringComparison.OrdinalIgnoreCase) ? "Provenance" : Of("", type, null) is var word and not "Artifact" ? word : "Attestation";

    private static string Suffix(string tag) => tag.LastIndexOf('.') is var dot and >= 0 ? tag[dot..] : "";
}
