using Gantry.EndToEnd.Tests.Running;
using Gantry.Engine.Tests.Unpack;

namespace Gantry.EndToEnd.Tests.Engine;

/// <summary>The root filesystem of each image as each tool shows it, read once a run. What was unpacked for it is removed at once.</summary>
public sealed class ImageTrees(Lab lab)
{
    private readonly Dictionary<string, TreeSnapshot> flat = [];
    private readonly Dictionary<string, string> references = [];
    private GantryCommand? gantry;

    private GantryCommand Gantry => gantry ??= new GantryCommand(lab.Home, lab.NewFolder());

    /// <summary>`gantry unpack`, of an image that is fetched from the registry for it.</summary>
    internal async Task<TreeSnapshot> FlatAsync(string image)
    {
        if (flat.TryGetValue(image, out var known)) return known;
        var folder = Path.Combine(lab.NewFolder(), "flat");
        await Gantry.RunAsync("unpack", await ReferenceAsync(image), folder);
        flat[image] = TreeSnapshot.Of(folder);
        await RemoveAsync(folder);
        return flat[image];
    }

    /// <summary>What the kernel makes of the layers that `gantry bundle` mounts.</summary>
    internal async Task<TreeSnapshot> OverlayAsync(string image)
    {
        var folder = Path.Combine(lab.NewFolder(), "bundle");
        var rootfs = Path.Combine(folder, "rootfs");
        await Gantry.RunAsync("bundle", await ReferenceAsync(image), folder);
        try
        {
            Assert.Contains((await File.ReadAllLinesAsync("/proc/mounts")).Select(line => line.Split(' ')), mount => mount[1] == rootfs && mount[2] == "overlay");
            return TreeSnapshot.Of(rootfs);
        }
        finally
        {
            await new Command("umount").RunAsync(rootfs);
            await RemoveAsync(folder);
        }
    }

    internal async Task<TreeSnapshot> UmociAsync(string image)
    {
        var folder = lab.NewFolder();
        var source = ImageSource.Find(lab.Images, image);
        var layout = source.Folder;
        if (!source.IsForUmoci)
        {
            layout = Path.Combine(folder, "layout");
            await new Command("skopeo") { Environment = lab.Home.Environment }.RunAsync("copy", "-q", source.Transport, $"oci:{layout}:latest");
        }

        try
        {
            await new Command("umoci").RunAsync("unpack", "--image", $"{layout}:latest", Path.Combine(folder, "bundle"));
            return TreeSnapshot.Of(Path.Combine(folder, "bundle", "rootfs"));
        }
        finally
        {
            await RemoveAsync(folder);
        }
    }

    /// <summary>What podman pulls into its overlay store and mounts: the image itself, no container on it.</summary>
    internal async Task<TreeSnapshot> PodmanAsync(string image)
    {
        var reference = await ReferenceAsync(image);
        var podman = await lab.PodmanAsync();
        await podman.PullAsync(reference);
        try
        {
            var path = (await podman.Tool.RunAsync("image", "mount", reference)).Output.Trim();
            var tree = TreeSnapshot.Of(path);
            await podman.Tool.RunAsync("image", "unmount", reference);
            return tree;
        }
        finally
        {
            await podman.WipeAsync();
        }
    }

    private async Task<string> ReferenceAsync(string image)
    {
        if (references.TryGetValue(image, out var reference)) return reference;
        reference = $"{lab.Registry.Host}/equal/{image.ToLowerInvariant()}:latest";
        await new Command("skopeo") { Environment = lab.Home.Environment }.RunAsync(
            "copy", "-q", "--all", "--preserve-digests", ImageSource.Find(lab.Images, image).Transport, $"docker://{reference}");
        return references[image] = reference;
    }

    private static Task RemoveAsync(string folder) => new Command("rm").RunAsync("-rf", folder);
}
