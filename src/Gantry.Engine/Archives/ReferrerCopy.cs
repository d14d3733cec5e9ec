using Gantry.Engine.Images;
using Gantry.Engine.Remote;
using Gantry.Oci;
using Gantry.Oci.Serialization;

namespace Gantry.Engine.Archives;

/// <summary>
/// Finds what refers to an image at its registry, and where the other registry does not keep lists of that itself, keeps them there under the tags that the
/// specification has for it (distribution-spec, "Referrers Tag Schema").
/// </summary>
internal sealed class ReferrerCopy(RemoteRepository source, RemoteRepository target)
{
    private readonly Dictionary<Digest, (Digest Subject, Descriptor Listed)> _found = [];

    public async Task<IReadOnlyList<ContentReference>> OfAsync(Digest subject, CancellationToken ct)
    {
        var listed = await source.ListReferrersAsync(subject, cancellationToken: ct);
        foreach (var referrer in listed) _found.TryAdd(referrer.Digest, (subject, referrer));
        return [.. listed.Select(referrer => new ContentReference(referrer))];
    }

    /// <summary>Puts a manifest that was just pushed on its subject's list, if it is a referrer.</summary>
    public async Task ListAsync(Digest digest, CancellationToken ct)
    {
        if (!_found.TryGetValue(digest, out var referrer)) return;
        var there = await target.ListReferrersAsync(referrer.Subject, cancellationToken: ct);
        if (there.Any(known => known.Digest == digest)) return;
        var tag = TagName.Parse($"{referrer.Subject.Algorithm.Name()}-{referrer.Subject.Hex[..Math.Min(64, referrer.Subject.Hex.Length)]}");
        await target.PutManifestAsync(tag, LayoutWriter.Json(writer => OciJson.WriteIndex(writer, there.Append(referrer.Listed))), MediaTypes.OciIndex, ct);
    }
}
