namespace Gantry.EndToEnd.Tests.Engine;

/// <summary>Who a tree of ours is compared with.</summary>
internal enum Peer
{
    Overlay,
    Umoci,
    Podman,
}

/// <summary>
/// Something in which a peer's tree is not ours, and why that is right. It must be seen in each of the images: one that is gone fails the test, so that the
/// table says what is so.
/// </summary>
internal sealed record KnownDifference(Peer Peer, string[] Images, Func<TreeDifference, bool> Covers, string Reason);

/// <summary>An image that a peer does not unpack at all. <paramref name="Says"/>: what its message has.</summary>
internal sealed record KnownRefusal(Peer Peer, string[] Images, string Says, string Reason);

internal static class KnownDifferences
{
    private static readonly string[] PodmanTakes = ["tiny", "debian", "multi", "zstd", "python", "nginx", "edge", "artifact", "dotnet", "schema2"];

    public static readonly IReadOnlyList<KnownRefusal> Refusals =
    [
        new(Peer.Umoci, ["zstd"], "blob is not correct mediatype", "umoci 0.4.7 is older than zstd layers; image-spec 1.1 has them"),
        new(Peer.Umoci, ["sparse"], @"unknown typeflag '\x53'", "umoci 0.4.7 reads sparse files of PAX alone; GNU tar writes these in its own format"),
        new(Peer.Podman, ["sparse"], "unhandled tar header type 83", "podman 4.3 neither"),
        new(Peer.Podman, ["links"], "no such file or directory",
            "podman unpacks each layer alone: what a link leads to in a lower layer is not there, and nothing can be made where it marked a removal"),
    ];

    public static readonly IReadOnlyList<KnownDifference> Table =
    [
        new(Peer.Podman, PodmanTakes, difference => difference is { Path: "", Aspect: TreeAspect.Mode, Theirs: "555" } or { Path: "", Aspect: TreeAspect.Time },
            "podman makes the root itself, 0555 and now; by the image-spec an entry of the root is one like others, and umoci applies it"),
        new(Peer.Podman, ["edge"], difference => difference is { Path: "", Aspect: TreeAspect.Owner, Theirs: "0:0" }, "the same for its owner"),
        new(Peer.Podman, ["edge"], difference => difference is { Path.Length: > 0, IsDirectory: true } && IsMadeAnew(difference),
            "a directory without an entry in a layer that has something in it: podman makes it anew as root's, 0755, now, whatever a layer below says of it. umoci keeps what is there"),
        new(Peer.Podman, ["edge"], difference => difference is { Aspect: TreeAspect.Time, Theirs: "0.000000000" } && difference.Ours.StartsWith('-'),
            "podman moves times before 1970 to 1970, umoci keeps them"),
        new(Peer.Umoci, ["edge", "links"], difference => difference.IsDirectory && IsOfThisRun(difference),
            "a directory without an entry in any layer, and the one it was made in: the image says no time, and umoci leaves now. Ours is 1970, so that two runs give one tree"),
    ];

    private static bool IsMadeAnew(TreeDifference difference) => difference is { Aspect: TreeAspect.Mode, Theirs: "755" } or { Aspect: TreeAspect.Owner, Theirs: "0:0" } || IsOfThisRun(difference);

    /// <summary>Their time is not the image's, whose times are years ago or to come, but that of unpacking.</summary>
    private static bool IsOfThisRun(TreeDifference difference) => difference.Aspect == TreeAspect.Time
        && Math.Abs(long.Parse(difference.Theirs.Split('.')[0]) - TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()) < TimeSpan.SecondsPerHour;
}
