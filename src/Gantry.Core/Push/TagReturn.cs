using Gantry.Core.Events;
using Gantry.Core.Pull;
using Gantry.Core.Removal;
using Gantry.Oci;

namespace Gantry.Core.Push;

/// <summary>
/// Points a tag at a manifest where it pointed before: a push of the bytes that are here already, by the rules of any push, with its
/// event and its entry in the history. A manifest that was deleted is restored first, and stays so where the push is then refused.
/// </summary>
public sealed class TagReturn(ManifestPull pull, ManifestPush push, ContentRestore restore)
{
    /// <summary>False: the manifest is gone for good.</summary>
    /// <exception cref="OciException">DENIED (409): the tag is immutable. MANIFEST_BLOB_UNKNOWN: something it needs is gone.</exception>
    public async Task<bool> ReturnAsync(
        RepositoryName repository, TagName tag, Digest digest, Actor actor, CancellationToken cancellationToken)
    {
        var manifest = await pull.ReadAsync(repository, digest, cancellationToken);
        if (manifest is null && await restore.RestoreManifestAsync(repository, digest, actor, cancellationToken) is not null)
            manifest = await pull.ReadAsync(repository, digest, cancellationToken);
        if (manifest?.Payload is not { } payload) return false;

        var document = ManifestDocument.Parse(payload, manifest.MediaType);
        await push.PushAsync(repository, new ManifestToPush(digest, payload, document, [tag]), actor, cancellationToken);
        return true;
    }
}
