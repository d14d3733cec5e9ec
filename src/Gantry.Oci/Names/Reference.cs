using System.Diagnostics.CodeAnalysis;

namespace Gantry.Oci;

/// <summary>What a manifest is asked for by: a tag or a digest, told apart by the colon that no tag may hold.</summary>
public readonly record struct Reference
{
    private Reference(TagName? tag, Digest? digest) => (Tag, Digest) = (tag, digest);

    public TagName? Tag { get; }

    public Digest? Digest { get; }

    public static implicit operator Reference(TagName tag) => new(tag, null);

    public static implicit operator Reference(Digest digest) => new(null, digest);

    public static bool TryParse([NotNullWhen(true)] string? text, out Reference reference)
    {
        reference = default;
        if (text is null) return false;
        if (text.Contains(':', StringComparison.Ordinal))
        {
            if (!Oci.Digest.TryParse(text, out var digest)) return false;
            reference = digest;
            return true;
        }

        if (!TagName.TryParse(text, out var tag)) return false;
        reference = tag;
        return true;
    }

    public override string ToString() => Tag?.ToString() ?? Digest?.ToString() ?? "";
}
