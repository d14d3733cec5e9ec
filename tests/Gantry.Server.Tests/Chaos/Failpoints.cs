using Gantry.Server.Tests.Nodes;

namespace Gantry.Server.Tests.Chaos;

/// <summary>Names of places where a node may end itself.</summary>
internal static class Failpoints
{
    private static readonly string[] Everywhere =
    [
        "upload-recorded", "append-recorded", "close-received", "close-digest-compared", "close-bytes-committed", "close-session-ended",
        "close-blob-written", "close-rows-written", "close-rows-committed", "close-done", "mount-written",
        "manifest-references-locked", "manifest-inserted", "manifest-references-written", "manifest-tags-moved", "manifest-rows-written",
        "manifest-committed", "removal-written", "removal-committed", "cancel-written", "cancel-committed",
        "review-manifests-locked", "review-manifests-released", "review-manifests-handed-on", "review-manifests-removed",
        "review-links-locked", "review-links-released", "review-links-blobs-locked", "review-links-removed", "review-links-handed-on",
        "review-blobs-locked", "review-blobs-removed", "review-blobs-released",
        "orphans-shard-taken", "orphans-listed", "orphans-asked", "orphans-doomed",
        "sweep-claimed", "sweep-one-deleted", "sweep-bytes-deleted", "sweep-done",
    ];

    private static readonly string[] OfFolders =
    [
        "staging-created", "append-buffer-written", "append-written", "checkpoint-file-durable", "checkpoint-durable", "commit-sealed",
        "commit-renamed", "commit-location-durable", "commit-directories-durable", "discard-staging-removed",
    ];

    private static readonly string[] OfBuckets =
    [
        "s3-append-sent", "s3-multipart-begun", "s3-part-sent", "s3-piece-written", "s3-commit-completed", "s3-commit-object-written",
        "s3-discard-uploads-aborted", "s3-discard-staging-removed",
    ];

    /// <summary>At one of the first hits of any.</summary>
    public static string Draw(Backend backend, Random random)
    {
        var names = Everywhere.Concat(backend == Backend.S3 ? OfBuckets : OfFolders).ToArray();
        return $"{names[random.Next(names.Length)]}:{random.Next(1, 6)}";
    }
}
