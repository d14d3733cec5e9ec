using Gantry.Engine.Bundles;
using Gantry.Engine.Images;
using Gantry.Engine.Posix;
using Gantry.Engine.Snapshots;
using Gantry.Engine.Tests.Unpack;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Tests.Bundles;

/// <summary>Stacks of layers, mounted for real. Needs root.</summary>
public sealed class OverlayMountTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-mount-");

    private string Bundle => Directory.CreateDirectory(Path.Combine(_folder.FullName, "bundle")).FullName;

    private string Target => Directory.CreateDirectory(Path.Combine(_folder.FullName, "bundle", "rootfs")).FullName;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(130)]
    [Trait("Pull", "B10")]
    public void Mount_AnyNumberOfLayers_ShowsTheTopOne(int count)
    {
        // Names as long as the store's: 130 of them fill three pages, and mount(2) takes one.
        var chain = Layers(count);
        Assert.True(count < 60 || string.Join(':', chain.Folders).Length > 8192);
        foreach (var isWritable in (bool[])[true, false])
        {
            OverlayMount.MountPrivately(Bundle, Target, chain, isWritable, () =>
            {
                Assert.Equal(count, Directory.GetFiles(Target, "of-*").Length);
                if (count > 0) Assert.Equal($"{count - 1}", File.ReadAllText(Path.Combine(Target, "same")));
                if (isWritable) File.WriteAllText(Path.Combine(Target, "same"), "changed");
                else Assert.ThrowsAny<IOException>(() => File.WriteAllText(Path.Combine(Target, "new"), ""));
            });
        }

        Assert.Equal("changed", File.ReadAllText(Path.Combine(Bundle, "upper", "same")));
        Assert.All(chain.Folders, (folder, i) => Assert.Equal($"{i}", File.ReadAllText(Path.Combine(folder, "same"))));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Pull", "B13")]
    public void Mount_Root_IsTheImagesAndNotTheMachines(bool isWritable)
    {
        var chain = Layers(2);
        using (var root = new Descriptor(Kernel.OpenDirectory(chain.Folders[1])))
        {
            Kernel.ChangeOwner(root.Number, 5, 6);
            Kernel.SetAttribute(root.Number, "user.gantry"u8, "y"u8);
            Kernel.ChangeMode(root.Number, 0b001_111_101_000);
            Kernel.SetModified(root.Number, new TarTime(7, 8));
        }

        OverlayMount.MountPrivately(Bundle, Target, chain, isWritable, () =>
            Assert.Equal("Directory 1750 5:6 7.000000008 [] [user.gantry=79] []", TreeSnapshot.Of(Target)[""].ToString()));
    }

    [Fact]
    public void MountPrivately_FromOutside_IsNotSeen()
    {
        var directory = Environment.CurrentDirectory;
        OverlayMount.MountPrivately(Bundle, Target, Layers(2), isWritable: true, () =>
            Assert.DoesNotContain(Target, OnAnotherThread(() => File.ReadAllText($"/proc/{Environment.ProcessId}/task/{Environment.ProcessId}/mountinfo")), StringComparison.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(Target));
        Assert.Equal(directory, Environment.CurrentDirectory);
    }

    [Fact]
    public void Mount_TooManyLayers_SaysSo() => Assert.Equal(EngineFault.Unsupported,
        Assert.Throws<EngineException>(() => OverlayMount.Mount(Bundle, Target, new LayerChain(null, [.. Enumerable.Repeat("/", 501)], false))).Fault);

    [Fact]
    public void Mount_Public_StaysUntilItIsUnmounted()
    {
        OverlayMount.Mount(Bundle, Target, Layers(3));
        try
        {
            Assert.Equal("2", File.ReadAllText(Path.Combine(Target, "same")));
        }
        finally
        {
            OverlayMount.Unmount(Target);
        }

        Assert.Empty(Directory.GetFileSystemEntries(Target));
    }

    [Fact]
    [Trait("Pull", "C31")]
    public void Write_RootWithLinksOut_MakesNothingThroughThem()
    {
        var outside = Directory.CreateDirectory(Path.Combine(_folder.FullName, "outside")).FullName;
        foreach (var name in (string[])["dev", "proc", "sys", "etc"]) File.CreateSymbolicLink(Path.Combine(Target, name), outside);
        var config = ImageConfigReader.Read("""{"os":"linux","architecture":"amd64","config":{"Cmd":["x"],"User":"0"},"rootfs":{"type":"layers","diff_ids":[]}}"""u8.ToArray());
        ImageBundle.Write(Bundle, config, new BundleOptions());
        Assert.Empty(Directory.GetFileSystemEntries(outside));
        Assert.Equal(["dev", "etc", "proc", "sys"], Directory.GetFileSystemEntries(Target).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private LayerChain Layers(int count)
    {
        var folders = new List<string>();
        for (var i = 0; i < count; i++)
        {
            var folder = Path.Combine(_folder.FullName, "layers", $"sha256-{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData([(byte)i]))}", "fs");
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "same"), $"{i}");
            File.WriteAllText(Path.Combine(folder, $"of-{i}"), "");
            folders.Add(folder);
        }

        return new LayerChain(null, folders, false);
    }

    private static string OnAnotherThread(Func<string> read)
    {
        var text = "";
        var thread = new Thread(() => text = read());
        thread.Start();
        thread.Join();
        return text;
    }
}
