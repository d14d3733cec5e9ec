using Gantry.Engine.Posix;
using Gantry.Layers;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>PULL.md B6.</summary>
public sealed class HardLinkTests : IDisposable
{
    private readonly UnpackSandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Theory]
    [InlineData("a/t", "h")]
    [InlineData("/a/t", "h")]
    [InlineData("./a//t", "h")]
    [InlineData("a/t", "new/parents/h")]
    [Trait("Pull", "B63")]
    [Trait("Pull", "B65")]
    [Trait("Pull", "B68")]
    public void Link_SharesTheInodeAndItsMetadata(string target, string name)
    {
        var tree = _sandbox.Both(new TarBytes().Pax(("mtime", "3.3")).File("a/t", "x", header => header.Mode(0b100_100_100).Uid(5))
            .HardLink(name, target, header => header.Mode(0b111_111_111_111).Uid(9).Modified(99)).End());

        Assert.Equal($"RegularFile 444 5:0 3.300000000 [1: x] [] [a/t {name}]", tree[name].ToString());
    }

    [Fact]
    [Trait("Pull", "B64")]
    [Trait("Pull", "C16")]
    [Trait("Pull", "C17")]
    public void Link_ToALink_IsTheLinkItselfAndNothingBehindIt()
    {
        var canary = Path.Combine(_sandbox.Directory, "canary");
        Assert.Equal(FileKind.SymbolicLink, _sandbox.Both(new TarBytes().SymbolicLink("s", canary).HardLink("h", "s").End())["h"].Kind);

        var tree = _sandbox.Both(new TarBytes().SymbolicLink("s", canary).HardLink("h", "s").File("h", "own", header => header.Mode(0b100_111_111_111)).End());
        Assert.Equal((FileKind.RegularFile, 0b100_111_111_111u, FileKind.SymbolicLink), (tree["h"].Kind, tree["h"].Mode, tree["s"].Kind));
    }

    [Fact]
    [Trait("Pull", "B66")]
    public void Link_BeforeItsTarget_WaitsForIt()
    {
        var tree = _sandbox.Both(new TarBytes().HardLink("h2", "h1").HardLink("h1", "t").File("t", "x").End());

        Assert.All(["t", "h1", "h2"], name => Assert.Equal("h1 h2 t", tree[name].Links));
        Assert.Equal(LayerFault.Link, _sandbox.Refuses(new TarBytes().HardLink("h", "missing").End()).Fault);
        Assert.Equal(LayerFault.Link, _sandbox.Refuses(new TarBytes().HardLink("a", "b").HardLink("b", "a").End()).Fault);
    }

    [Fact]
    [Trait("Pull", "B67")]
    public void Link_OverAName_ReplacesIt()
    {
        Assert.Equal("h t", _sandbox.Both(new TarBytes().File("h", "old").End(), new TarBytes().File("t", "x").HardLink("h", "t").End())["h"].Links);
        Assert.Equal("h t", _sandbox.Both(new TarBytes().File("h", "old").File("t", "x").HardLink("h", "t").HardLink("h", "t").End())["h"].Links);

        // The target lies in what gives way.
        var tree = _sandbox.Both(new TarBytes().File("d/t", "x").HardLink("d", "d/t").End());
        Assert.Equal(["d"], tree.Paths);
        Assert.Equal("1: x", tree.Content("d"));
    }

    [Fact]
    [Trait("Pull", "B69")]
    [Trait("Pull", "B7")]
    public void Link_ToALowerLayersFile_IsOneFileWithAllNamesOfIt()
    {
        var lower = new TarBytes().Pax(("mtime", "3.5"), ("SCHILY.xattr.user.a", "1")).File("d/t", "content", header => header.Mode(0b100_111_101_101).Uid(8)).HardLink("t2", "d/t").End();
        var tree = _sandbox.Both(lower, new TarBytes().File("other").End(), new TarBytes().HardLink("n/h", "/d/t").HardLink("g", "n/h").End(), new TarBytes().HardLink("i", "g").End());

        Assert.Equal("RegularFile 4755 8:0 3.500000000 [7: content] [user.a=31] [d/t g i n/h t2]", tree["i"].ToString());
    }

    [Fact]
    [Trait("Pull", "B69")]
    public void Link_ToALowerFileThatGoesAway_KeepsIt()
    {
        var tree = _sandbox.Both(new TarBytes().File("t", "x").End(), new TarBytes().File(".wh.t").HardLink("h", "t").End(), new TarBytes().File("t", "new").End());

        Assert.Equal(("1: x", "3: new", ""), (tree.Content("h"), tree.Content("t"), tree["h"].Links));
    }

    [Fact]
    [Trait("Pull", "B52")]
    [Trait("Pull", "B69")]
    public void Link_ToAFileOfADirectoryThatIsRemovedAndMadeAgain_KeepsItsName()
    {
        var lower = new TarBytes().File("d/t", "x").File("d/u", "y").End();
        var tree = _sandbox.Both(lower, new TarBytes().File(".wh.d").HardLink("h", "d/t").End(), new TarBytes().File("d/u", "new").HardLink("i", "h").End());

        Assert.Equal(["d", "d/u", "h", "i"], tree.Paths);
        Assert.Equal(("h i", "3: new"), (tree["h"].Links, tree.Content("d/u")));
    }

    [Fact]
    [Trait("Pull", "B53")]
    [Trait("Pull", "B69")]
    public void Link_InAnOpaqueDirectory_ToAFileItHides_IsAllThatIsLeftOfIt()
    {
        var lower = new TarBytes().File("d/t", "x").HardLink("d/t2", "d/t").File("d/e/u", "y").HardLink("v", "d/e/u").End();
        var tree = _sandbox.Both(lower, new TarBytes().File("d/.wh..wh..opq").HardLink("d/h", "d/t").HardLink("d/e/h", "d/e/u").End(), new TarBytes().HardLink("d/e/i", "v").End());

        Assert.Equal(["d", "d/e", "d/e/h", "d/e/i", "d/h", "v"], tree.Paths);
        Assert.Equal(("", "d/e/h d/e/i v"), (tree["d/h"].Links, tree["v"].Links));
    }

    [Theory]
    [InlineData("s/t")]
    [InlineData("s2/t")]
    [Trait("Pull", "B69")]
    public void Link_ThroughALowerLink_IsResolvedInside(string target)
    {
        var lower = new TarBytes().File("real/t", "x").SymbolicLink("s", "/real").SymbolicLink("s2", "../../s").End();

        Assert.Equal("h real/t", _sandbox.Both(lower, new TarBytes().HardLink("h", target).End())["h"].Links);
    }

    [Fact]
    [Trait("Pull", "B69")]
    public void Link_ToNothing_NamesTheLayers()
    {
        var lower = _sandbox.Alone(new(), new TarBytes().File("x").End(), "sha256:low");
        var upper = _sandbox.Alone(new(), new TarBytes().HardLink("h", "gone").End(), "sha256:up");

        var refusal = Assert.Throws<LayerException>(() => _sandbox.Mounted([lower, upper]));

        Assert.Equal(LayerFault.Link, refusal.Fault);
        Assert.Contains("sha256:low", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("sha256:up", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("d")]
    [InlineData("/")]
    [InlineData("below")]
    [Trait("Pull", "B70")]
    public void Link_ToADirectory_IsRefused(string target) =>
        Assert.Equal(LayerFault.Link, _sandbox.Refuses(new TarBytes().Directory("below").End(), new TarBytes().Directory("d").HardLink("h", target).End()).Fault);

    [Theory]
    [InlineData(".wh..wh.plnk/1.2")]
    [InlineData(".wh.x")]
    [Trait("Pull", "B60")]
    public void Link_IntoAWhiteout_IsRefused(string target) => Assert.Equal(LayerFault.Link, _sandbox.Refuses(new TarBytes().HardLink("h", target).End()).Fault);

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../../../nowhere")]
    [InlineData("self")]
    [Trait("Pull", "B71")]
    public void SymbolicLinks_AreStoredAsTheyAre(string target) =>
        Assert.Equal(target, _sandbox.Both(new TarBytes().SymbolicLink("s", target).End()).Content("s"));
}
