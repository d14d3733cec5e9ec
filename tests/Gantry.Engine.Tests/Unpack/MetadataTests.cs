using Gantry.Engine.Posix;
using Gantry.Engine.Unpack;
using Gantry.Layers;
using Gantry.Layers.Tar;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>PULL.md B3, and what of B1 and B2 concerns the tree. Each case is unpacked in both modes, which must show the same.</summary>
public sealed class MetadataTests : IDisposable
{
    private readonly UnpackSandbox _sandbox = new();

    // cap_net_raw=ep, with a newline byte in it.
    private static readonly byte[] Capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0x0A, 0, 0, 0, 0, 0, 0, 0];

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    [Trait("Pull", "B27")]
    [Trait("Pull", "B34")]
    public void File_WithOwnerBitsAndCapability_KeepsThemAll()
    {
        var tree = _sandbox.Both(new TarBytes().Pax(("SCHILY.xattr.security.capability", Capability), ("mtime", "5.000000001"))
            .File("f", "x", header => header.Mode(0b110_111_101_101).Uid(1000).Gid(1001)).End());

        Assert.Equal("RegularFile 6755 1000:1001 5.000000001 [1: x] [security.capability=" + Convert.ToHexStringLower(Capability) + "] []", tree["f"].ToString());
    }

    [Fact]
    [Trait("Pull", "B28")]
    [Trait("Pull", "B24")]
    public void Owner_LargestNumbers_AreKept()
    {
        var tree = _sandbox.Both(new TarBytes().Pax(("uid", "4294967294"), ("gid", "4294967294"), ("uname", "root")).File("f").End());

        Assert.Equal((4294967294u, 4294967294u), (tree["f"].Uid, tree["f"].Gid));
    }

    [Theory]
    [InlineData(0b000_000_000_000)]
    [InlineData(0b000_110_110_110)]
    [InlineData(0b000_111_111_111)]
    [InlineData(0b111_111_111_111)]
    [InlineData(0b001_111_111_111)]
    [Trait("Pull", "B29")]
    public void Mode_OfEveryKind_IsExact(int mode)
    {
        var tree = _sandbox.Both(new TarBytes().File("f", "x", header => header.Mode(mode)).Directory("d", header => header.Mode(mode))
            .Fifo("p", header => header.Mode(mode)).Device('3', "c", 1, 3, header => header.Mode(mode)).File("d/inside", "y").End());

        Assert.All(["f", "d", "p", "c"], path => Assert.Equal((uint)mode, tree[path].Mode));
        Assert.Equal("1: y", tree.Content("d/inside"));
    }

    [Fact]
    [Trait("Pull", "C46")]
    public void Mode_WithMoreBits_IsMasked() =>
        Assert.Equal(0xFFFu, _sandbox.Both(new TarBytes().File("f", "", header => header.Mode(0x1FFFFF)).End())["f"].Mode);

    [Fact]
    [Trait("Pull", "B25")]
    [Trait("Pull", "B30")]
    public void Times_OfDirectoriesAndTheirChildren_AreTheArchives()
    {
        var layer = new TarBytes();
        foreach (var (path, time) in (ReadOnlySpan<(string, string)>)[("d/", "100.123456789"), ("d/e/", "-7.5"), ("./", "300")]) layer.Pax(("mtime", time)).Directory(path);
        layer.Pax(("mtime", "9.000000009")).File("d/e/f", "x").Pax(("mtime", "11.1")).SymbolicLink("d/s", "f").Pax(("mtime", "0")).File("zero");

        var tree = _sandbox.Both(layer.End());

        Assert.Equal(new TarTime(100, 123456789), tree["d"].Modified);
        Assert.Equal(new TarTime(-8, 500000000), tree["d/e"].Modified);
        Assert.Equal(new TarTime(9, 9), tree["d/e/f"].Modified);
        Assert.Equal(new TarTime(11, 100000000), tree["d/s"].Modified);
        Assert.Equal(new TarTime(300, 0), tree[""].Modified);
        Assert.Equal(default, tree["zero"].Modified);
    }

    [Fact]
    [Trait("Pull", "B30")]
    [Trait("Pull", "B47")]
    public void LowerDirectory_OnlyTouched_KeepsAllItsMetadata()
    {
        var lower = new TarBytes().Pax(("mtime", "50.5"), ("SCHILY.xattr.user.a", "1")).Directory("d", header => header.Mode(0b111_000_000).Uid(5).Gid(6))
            .Pax(("mtime", "60.5")).Directory("d/e").File("d/e/old", "o").End();

        var tree = _sandbox.Both(lower, new TarBytes().File("d/e/new", "n").File("d/e/.wh.old").End(), new TarBytes().File("d/e/newer", "n").End());

        Assert.Equal("Directory 700 5:6 50.500000000 [] [user.a=31] []", tree["d"].ToString());
        Assert.Equal("Directory 755 0:0 60.500000000 [] [] []", tree["d/e"].ToString());
        Assert.Equal(["d", "d/e", "d/e/new", "d/e/newer"], tree.Paths);
    }

    [Fact]
    [Trait("Pull", "B31")]
    public void Directories_WithoutPermissions_StillGetTheirChildren()
    {
        var tree = _sandbox.Both(new TarBytes().Directory("d", header => header.Mode(0)).Directory("d/e", header => header.Mode(0b101_101_101)).File("d/e/f", "x").End());

        Assert.Equal((0u, 0b101_101_101u, "1: x"), (tree["d"].Mode, tree["d/e"].Mode, tree.Content("d/e/f")));
    }

    [Fact]
    [Trait("Pull", "B32")]
    public void Attributes_OfAnyBytes_AreKept()
    {
        byte[] value = [0, 10, 0xFF, (byte)'=', 0x80];
        var tree = _sandbox.Both(new TarBytes().Pax(("SCHILY.xattr.user.bin", value), ("SCHILY.xattr.user.empty", "")).File("f")
            .Pax(("SCHILY.xattr.user.d", value)).Directory("d").End());

        Assert.Equal("user.bin=000aff3d80 user.empty=", tree["f"].Attributes);
        Assert.Equal("user.d=000aff3d80", tree["d"].Attributes);
    }

    [Fact]
    [Trait("Pull", "B32")]
    [Trait("Pull", "B42")]
    public void Directory_OverDirectory_MergesAndReplacesMetadata()
    {
        var tree = _sandbox.Both(
            new TarBytes().Pax(("SCHILY.xattr.user.old", "1"), ("mtime", "7")).Directory("d", header => header.Uid(1).Mode(0b111_111_111)).File("d/a", "a").End(),
            new TarBytes().Pax(("SCHILY.xattr.user.new", "2"), ("mtime", "8")).Directory("d", header => header.Gid(2).Mode(0b111_000_101)).File("d/b", "b").End());

        Assert.Equal("Directory 705 0:2 8.000000000 [] [user.new=32] []", tree["d"].ToString());
        Assert.Equal(["d", "d/a", "d/b"], tree.Paths);
    }

    [Theory]
    [InlineData("security.selinux", false)]
    [InlineData("system.nfs4_acl", false)]
    [InlineData("trusted.mine", true)]
    [InlineData("user.overlay.opaque", true)]
    [InlineData("user.overlay.redirect", true)]
    [Trait("Pull", "B35")]
    [Trait("Pull", "B36")]
    [Trait("Pull", "C38")]
    public void Attributes_OfTheMachineOrOfOverlay_AreLeftOut(string name, bool warns)
    {
        var tree = _sandbox.Both(new TarBytes().File("x").End(), new TarBytes().Pax(($"SCHILY.xattr.{name}", "y")).File("f").Pax(($"SCHILY.xattr.{name}", "y")).Directory("d").End());

        Assert.DoesNotContain(name, tree["f"].Attributes + tree["d"].Attributes);
        Assert.Equal(warns, _sandbox.Notes[1].WarningCount > 0);
    }

    [Theory]
    [InlineData("opaque", "y")]
    [InlineData("redirect", "/..")]
    [InlineData("metacopy", "")]
    [Trait("Pull", "B37")]
    [Trait("Pull", "C37")]
    public void OverlaysOwnAttributes_InALayer_AreEscapedAndDoNothing(string name, string value)
    {
        TarBytes[] layers =
        [
            new TarBytes().Directory("d").File("d/lower", "l").File("f", "lower").End(),
            new TarBytes().Pax(($"SCHILY.xattr.trusted.overlay.{name}", value)).Directory("d").Pax(($"SCHILY.xattr.trusted.overlay.{name}", value)).File("f", "upper").End(),
        ];
        var tree = _sandbox.Both(layers);

        Assert.Equal("1: l", tree.Content("d/lower"));
        Assert.Equal("5: upper", tree.Content("f"));
        Assert.StartsWith($"trusted.overlay.{name}=", tree["d"].Attributes);
        var layer = TreeSnapshot.Of(_sandbox.Alone(new(), layers[1], "1").Directory);
        Assert.StartsWith($"trusted.overlay.overlay.{name}=", layer["d"].Attributes);
    }

    [Fact]
    [Trait("Pull", "B38")]
    [Trait("Pull", "C41")]
    public void UserAttributes_OnLinksAndPipes_AreLeftOut()
    {
        var target = Path.Combine(_sandbox.Directory, "canary");
        var tree = _sandbox.Both(new TarBytes().Pax(("SCHILY.xattr.user.a", "1")).SymbolicLink("s", target).Pax(("SCHILY.xattr.user.a", "1")).Fifo("p").End());

        Assert.Equal(("", ""), (tree["s"].Attributes, tree["p"].Attributes));
        Assert.Equal(0, _sandbox.Notes[0].WarningCount);
    }

    [Fact]
    [Trait("Pull", "B39")]
    [Trait("Pull", "B40")]
    [Trait("Pull", "C32")]
    public void Devices_AreMadeUnlessRefused()
    {
        var layer = new TarBytes().Device('4', "b", 8, 0, header => header.Mode(0b110_110_110)).Device('3', "c", 0xFFF, 0xFFFFF).Fifo("p").End();
        var tree = _sandbox.Both(layer);

        Assert.Equal((FileKind.BlockDevice, "8:0", 0b110_110_110u), (tree["b"].Kind, tree.Content("b"), tree["b"].Mode));
        Assert.Equal((FileKind.CharacterDevice, "4095:1048575"), (tree["c"].Kind, tree.Content("c")));
        Assert.Equal(FileKind.Fifo, tree["p"].Kind);
        Assert.Equal(LayerFault.EntryType, _sandbox.Refuses(new UnpackOptions { Devices = false }, layer).Fault);
        Assert.Equal(LayerFault.EntryType, _sandbox.Refuses(new TarBytes().Device('3', "c", 4096, 0).End()).Fault);
    }

    [Fact]
    [Trait("Pull", "B33")]
    [Trait("Pull", "B41")]
    [Trait("Pull", "C44")]
    public void RecordsOfOtherSystems_AreIgnored()
    {
        var tree = _sandbox.Both(new TarBytes().Pax(("MSWINDOWS.fileattr", "32"), ("SCHILY.fflags", "uchg"), ("LIBARCHIVE.xattr.user.a", "MQ==")).File("f", "x").End());

        Assert.Equal("RegularFile 644 0:0 0.000000000 [1: x] [] []", tree["f"].ToString());
    }

    [Theory]
    [InlineData("/a/b")]
    [InlineData("./a//b/")]
    [InlineData("a/./b")]
    [Trait("Pull", "B11")]
    public void Names_SpeltOtherwise_AreTheSamePath(string name) =>
        Assert.Equal(["a", "a/b"], _sandbox.Both(new TarBytes().File(name, "x").End()).Paths);

    [Theory]
    [InlineData("./")]
    [InlineData("/")]
    [InlineData("")]
    [Trait("Pull", "B13")]
    public void RootEntry_SetsTheRootsMetadata(string name)
    {
        var tree = _sandbox.Both(new TarBytes().Pax(("mtime", "9"), ("SCHILY.xattr.user.r", "1")).Directory(name, header => header.Mode(0b111_101_000).Uid(3)).End(),
            new TarBytes().File("f").End());

        Assert.Equal("Directory 750 3:0 9.000000000 [] [user.r=31] []", tree[""].ToString());
    }

    [Fact]
    [Trait("Pull", "B14")]
    [Trait("Pull", "C4")]
    [Trait("Pull", "C28")]
    [Trait("Pull", "C29")]
    public void Names_OfAnyBytes_AreKept()
    {
        string[] names = ["..\\canary", "\xFF\xFE", "new\nline", "\u001B[2J", "A", "a", "e\u0301", "\u00E9"];
        var layer = new TarBytes();
        foreach (var name in names) layer.File(TreeSnapshot.Bytes(name == "e\u0301" ? "e\u00CC\u0081" : name), "x");

        var tree = _sandbox.Both(layer.End());

        Assert.Equal(names.Length, tree.Paths.Count());
        Assert.All(names[..^2], name => Assert.Equal("1: x", tree.Content(name)));
    }

    [Fact]
    public void DefaultAcl_OfADirectory_IsNotHandedDown()
    {
        byte[] acl = [2, 0, 0, 0, 1, 0, 7, 0, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 7, 0, 0xE8, 3, 0, 0, 4, 0, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x10, 0, 7, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x20, 0, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF];
        var tree = _sandbox.Both(new TarBytes().Pax(("SCHILY.xattr.system.posix_acl_default", acl)).Directory("d", header => header.Mode(0b010_111_101_101).Gid(7))
            .File("d/f", "x").Directory("d/e").End(), new TarBytes().File("d/g", "x").End());

        Assert.StartsWith("system.posix_acl_default=", tree["d"].Attributes);
        Assert.All(["d/f", "d/e", "d/g"], path => Assert.Equal(("", 0u), (tree[path].Attributes, tree[path].Gid)));
    }
}
