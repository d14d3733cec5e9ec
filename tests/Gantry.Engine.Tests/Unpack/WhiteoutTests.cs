using Gantry.Engine.Posix;
using Gantry.Layers;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>PULL.md B5. The mount shows what the flat tree has, so a mark that stays visible is a difference.</summary>
public sealed class WhiteoutTests : IDisposable
{
    private readonly UnpackSandbox _sandbox = new();

    private static TarBytes Lower => new TarBytes().Pax(("mtime", "5")).Directory("d", header => header.Mode(0b111_000_000).Uid(4)).File("d/x", "old").File("d/y", "old").Directory("d/e").File("d/e/z", "old").File("g", "old").End();

    public void Dispose() => _sandbox.Dispose();

    [Theory]
    [InlineData("d/.wh.x", "d d/e d/e/z d/y g")]
    [InlineData("d/.wh.e", "d d/x d/y g")]
    [InlineData(".wh.d", "g")]
    [InlineData(".wh.absent", "d d/e d/e/z d/x d/y g")]
    [InlineData("q/.wh.absent", "d d/e d/e/z d/x d/y g q")]
    [InlineData("d/.wh..wh..opq", "d g")]
    [InlineData(".wh..wh..opq", "")]
    [InlineData("g/.wh..wh..opq", "d d/e d/e/z d/x d/y g")]
    [InlineData(".wh.d d/.wh.x", "g")]
    [InlineData("d/.wh.x .wh.d", "g")]
    [InlineData(".wh..wh.plnk .wh..wh.aufs .wh..wh.orph/x d/.wh..wh.plnk/1.2", "d d/e d/e/z d/x d/y g")]
    [Trait("Pull", "B50")]
    [Trait("Pull", "B51")]
    [Trait("Pull", "B53")]
    [Trait("Pull", "B54")]
    [Trait("Pull", "B56")]
    [Trait("Pull", "B60")]
    [Trait("Pull", "C25")]
    public void Removal_HidesWhatIsBelow(string names, string left)
    {
        var layer = new TarBytes();
        foreach (var name in names.Split(' ')) layer.File(name);

        var tree = _sandbox.Both(Lower, layer.End());

        Assert.Equal(left, string.Join(' ', tree.Paths));
        if (names.StartsWith("d/", StringComparison.Ordinal) && left.StartsWith('d')) Assert.Equal("Directory 700 4:0 5.000000000 [] [] []", tree["d"].ToString());
        if (names.StartsWith("g/", StringComparison.Ordinal)) Assert.Equal("Directory 755 0:0 0.000000000 [] [] []", tree["g"].ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Pull", "B52")]
    [Trait("Pull", "B53")]
    [Trait("Pull", "B57")]
    public void Removal_AndWhatTheSameLayerMakes_AreOfAnyOrder(bool markersFirst)
    {
        Action<TarBytes> markers = layer => layer.File("d/.wh.x").File(".wh.g").File("d/e/.wh..wh..opq").File("d/.wh.y");
        Action<TarBytes> files = layer => layer.File("d/x", "new").File("g/h", "new").File("d/e/n", "new");
        var layer = new TarBytes();
        (markersFirst ? markers : files)(layer);
        (markersFirst ? files : markers)(layer);

        var tree = _sandbox.Both(Lower, layer.End());

        Assert.Equal(["d", "d/e", "d/e/n", "d/x", "g", "g/h"], tree.Paths);
        Assert.Equal("3: new", tree.Content("d/x"));
    }

    [Fact]
    [Trait("Pull", "B52")]
    [Trait("Pull", "B57")]
    public void Directory_RemovedAndMadeAgain_HasNothingOfTheOldOne()
    {
        var tree = _sandbox.Both(Lower, new TarBytes().File(".wh.d").File("d/new", "n").End());

        Assert.Equal(["d", "d/new", "g"], tree.Paths);
        Assert.Equal("Directory 755 0:0 0.000000000 [] [] []", tree["d"].ToString());
    }

    [Fact]
    [Trait("Pull", "B55")]
    public void Removals_InAnOpaqueDirectory_AreDropped()
    {
        var layer = new TarBytes().Directory("d").File("d/.wh..wh..opq").File("d/.wh.x").File("d/n", "n").End();

        Assert.Equal(["d", "d/n", "g"], _sandbox.Both(Lower, layer).Paths);
        Assert.Equal(["d", "d/n"], TreeSnapshot.Of(_sandbox.Alone(new(), layer, "1").Directory).Paths);
    }

    [Theory]
    [InlineData(".wh.")]
    [InlineData(".wh..")]
    [InlineData(".wh...")]
    [InlineData("../.wh.canary")]
    [InlineData(".wh.a/b")]
    [Trait("Pull", "B58")]
    [Trait("Pull", "C22")]
    public void Removal_OfNothing_IsRefused(string name) => Assert.Equal(LayerFault.Path, _sandbox.Refuses(Lower, new TarBytes().File(name).End()).Fault);

    [Fact]
    [Trait("Pull", "B59")]
    public void Removal_OfAnyTypeAndWithData_IsByName()
    {
        var tree = _sandbox.Both(Lower, new TarBytes().Directory("d/.wh.x").File("d/.wh.y", new string('j', 3000)).SymbolicLink("d/.wh.e", "/").Fifo(".wh.g").End());

        Assert.Equal(["d"], tree.Paths);
    }

    [Fact]
    [Trait("Pull", "B61")]
    [Trait("Pull", "C34")]
    public void Device00_IsLeftOutAndStrictRefuses()
    {
        var layer = new TarBytes().Device('3', "d/x", 0, 0).File("n").End();

        Assert.Equal("3: old", _sandbox.Both(Lower, layer).Content("d/x"));
        Assert.Equal(1, _sandbox.Notes[1].WarningCount);
        Assert.Equal(LayerFault.EntryType, _sandbox.Refuses(UnpackSandbox.Strict, Lower, layer).Fault);
    }

    [Theory]
    [InlineData("..", "s/.wh.canary")]
    [InlineData("/", "s/.wh.g")]
    [InlineData("d", "s/.wh.x")]
    [Trait("Pull", "B62")]
    [Trait("Pull", "C23")]
    public void Removal_BelowALink_StaysInside(string target, string name)
    {
        var tree = _sandbox.Both(Lower, new TarBytes().SymbolicLink("s", target).File(name).End());

        Assert.Equal(FileKind.SymbolicLink, tree["s"].Kind);
        Assert.Equal(target != "/", tree.Has("g"));
        Assert.Equal(target != "d", tree.Has("d/x"));
    }

    [Fact]
    [Trait("Pull", "B62")]
    public void Removal_BelowALinkOfALowerLayer_TakesTheLinksPlace()
    {
        var tree = _sandbox.Both(new TarBytes().File("real/x", "x").SymbolicLink("s", "real").End(), new TarBytes().File("s/.wh.x").End());

        Assert.Equal("1: x", tree.Content("real/x"));
        Assert.Equal(FileKind.Directory, tree["s"].Kind);
    }
}
