using Gantry.EndToEnd.Tests.Running;
using Gantry.Engine.Tests.Unpack;

namespace Gantry.EndToEnd.Tests.Engine;

/// <summary>
/// One image, one tree: what `gantry unpack` writes is what umoci and podman make of the same image, and what our overlay shows, entry by entry with kind,
/// mode, owner, time to the nanosecond, content, extended attributes and groups of hard links. <see cref="KnownDifferences"/> has the exceptions. Of other images:
/// GANTRY_EQUALITY_IMAGES=FOLDER, see README.md.
/// </summary>
[Trait("Speed", "Slow")]
public sealed class EqualityTests(ImageTrees trees) : IClassFixture<ImageTrees>
{
    private const int Shown = 40;

    public static TheoryData<string> Images => [.. ImageSource.Names];

    [Theory]
    [MemberData(nameof(Images))]
    public Task Overlay_OfAnImage_ShowsTheFlatTree(string image) => AssertSameAsync(image, Peer.Overlay, trees.OverlayAsync);

    [Theory]
    [MemberData(nameof(Images))]
    public Task FlatTree_OfAnImage_IsWhatUmociUnpacks(string image) => AssertSameAsync(image, Peer.Umoci, trees.UmociAsync);

    [Theory]
    [MemberData(nameof(Images))]
    public Task FlatTree_OfAnImage_IsWhatPodmanMounts(string image) => AssertSameAsync(image, Peer.Podman, trees.PodmanAsync);

    private async Task AssertSameAsync(string image, Peer peer, Func<string, Task<TreeSnapshot>> theirs)
    {
        var ours = await trees.FlatAsync(image);
        Lab.Say($"{image}: {ours.Paths.Count()} entries");
        TreeSnapshot other;
        try
        {
            other = await theirs(image);
        }
        catch (CommandFailedException refusal) when (KnownDifferences.Refusals.FirstOrDefault(known =>
            known.Peer == peer && Concerns(known.Images, image) && refusal.Message.Contains(known.Says, StringComparison.Ordinal)) is { } known)
        {
            Lab.Say($"{peer} refuses {image}: {known.Reason}");
            return;
        }

        if (ImageSource.AreOurs)
        {
            Assert.DoesNotContain(KnownDifferences.Refusals, known => known.Peer == peer && known.Images.Contains(image));
        }

        var left = TreeDifference.Between(ours, other);
        foreach (var known in KnownDifferences.Table.Where(known => known.Peer == peer && Concerns(known.Images, image)))
        {
            var count = left.RemoveAll(difference => known.Covers(difference));
            if (ImageSource.AreOurs) Assert.True(count > 0, $"{image} and {peer}: no longer so, take it out of the table: {known.Reason}");
            if (count > 0) Lab.Say($"{count} known: {known.Reason}");
        }

        Assert.True(left.Count == 0, $"{image}: {left.Count} differences to {peer}\n{string.Join('\n', left.Take(Shown))}");
    }

    private static bool Concerns(string[] images, string image) => !ImageSource.AreOurs || images.Contains(image);
}
