using Gantry.Engine.Posix;
using Gantry.Engine.Unpack;
using Gantry.Layers;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>PULL.md B4: what takes the place of what, across layers and within one.</summary>
public sealed class ReplacementTests : IDisposable
{
    private static readonly Dictionary<string, Func<TarBytes, TarBytes>> Kinds = new()
    {
        ["file"] = layer => layer.File("x", "new"),
        ["directory"] = layer => layer.Directory("x").File("x/new", "new"),
        ["implied"] = layer => layer.File("x/new", "new"),
        ["symlink"] = layer => layer.SymbolicLink("x", "../canary"),
        ["fifo"] = layer => layer.Fifo("x"),
        ["device"] = layer => layer.Device('3', "x", 1, 3),
        ["link"] = layer => layer.File("other", "new").HardLink("x", "other"),
    };

    private readonly UnpackSandbox _sandbox = new();

    public static TheoryData<string, string> Pairs =>
        new MatrixTheoryData<string, string>(Kinds.Keys, Kinds.Keys) is var all ? [.. all.Select(row => (row.Data.Item1, row.Data.Item2))] : [];

    public void Dispose() => _sandbox.Dispose();

    [Theory]
    [MemberData(nameof(Pairs))]
    [Trait("Pull", "B43")]
    [Trait("Pull", "B45")]
    [Trait("Pull", "C11")]
    [Trait("Pull", "C35")]
    public void Anything_OverAnything_TakesItsPlace(string old, string now)
    {
        var fresh = _sandbox.Both(Kinds[now](new TarBytes()).End())["x"];
        var lower = Kinds[old](new TarBytes()).End();

        // 1. Across layers.
        var across = _sandbox.Both(lower, Kinds[now](new TarBytes()).End());
        Assert.Equal((fresh.Kind, fresh.Content), (across["x"].Kind, across["x"].Content));

        // 2. Within one. A link of the same layer is followed where something lies below it.
        if (old == "symlink" && now == "implied") return;
        var within = _sandbox.Both(Kinds[now](Kinds[old](new TarBytes())).End());
        Assert.Equal((fresh.Kind, fresh.Content), (within["x"].Kind, within["x"].Content));
        Assert.True(_sandbox.Notes[0].WarningCount > 0);
    }

    [Fact]
    [Trait("Pull", "B44")]
    public void File_WithAnotherName_IsReplacedUnderThisNameAlone()
    {
        var tree = _sandbox.Both(new TarBytes().File("a", "old").HardLink("b", "a").End(), new TarBytes().File("a", "new").End());

        Assert.Equal(("3: new", "3: old"), (tree.Content("a"), tree.Content("b")));
    }

    [Fact]
    [Trait("Pull", "B44")]
    [Trait("Pull", "B45")]
    public void SamePathTwice_WritesToNoOtherName()
    {
        var tree = _sandbox.Both(new TarBytes().File("a", "old").HardLink("b", "a").File("a", "new").End());

        Assert.Equal(("3: new", "3: old", ""), (tree.Content("a"), tree.Content("b"), tree["a"].Links));
    }

    [Fact]
    [Trait("Pull", "B45")]
    public void SamePathTwice_LastWinsOrStrictRefuses()
    {
        var layer = new TarBytes().File("f", "1").File("f", "22").End();

        Assert.Equal("2: 22", _sandbox.Both(layer).Content("f"));
        Assert.Contains("twice", Assert.Single(_sandbox.Notes[0].Warnings), StringComparison.Ordinal);
        Assert.Equal(LayerFault.Path, _sandbox.Refuses(UnpackSandbox.Strict, layer).Fault);
        Assert.Equal(LayerFault.Path, _sandbox.Refuses(UnpackSandbox.Strict, new TarBytes().Directory("d").Directory("d").End()).Fault);
        _sandbox.Both(UnpackSandbox.Strict, new TarBytes().File("d/f").Directory("d").End());
    }

    [Fact]
    [Trait("Pull", "B46")]
    public void File_ThatBecomesADirectory_IsReplacedOrStrictRefuses()
    {
        var layer = new TarBytes().File("a", "1").File("a/b", "2").End();

        Assert.Equal(["a", "a/b"], _sandbox.Both(layer).Paths);
        Assert.Equal(1, _sandbox.Notes[0].WarningCount);
        Assert.Equal(LayerFault.Path, _sandbox.Refuses(UnpackSandbox.Strict, layer).Fault);
    }

    [Fact]
    [Trait("Pull", "B47")]
    public void Parents_WithoutEntries_Are0755AndRoots()
    {
        var tree = _sandbox.Both(new TarBytes().File("a/b/c", "x", header => header.Mode(0b110_000_000).Uid(9)).End());

        Assert.Equal(("Directory 755 0:0 0.000000000 [] [] []", "Directory 755 0:0 0.000000000 [] [] []"), (tree["a"].ToString(), tree["a/b"].ToString()));
    }

    [Fact]
    [Trait("Pull", "B48")]
    [Trait("Pull", "C8")]
    public void Directory_OverALowerLinkToADirectory_ReplacesItUnlessAskedToKeepIt()
    {
        TarBytes[] layers = [new TarBytes().File("usr/lib/a", "a").SymbolicLink("lib", "usr/lib").End(), new TarBytes().File("lib/b", "b").End()];

        var tree = _sandbox.Both(layers);
        Assert.Equal(["lib", "lib/b", "usr", "usr/lib", "usr/lib/a"], tree.Paths);

        var kept = _sandbox.Flat(new UnpackOptions { KeepDirectoryLinks = true }, layers);
        Assert.Equal(["lib", "usr", "usr/lib", "usr/lib/a", "usr/lib/b"], kept.Paths);
        Assert.Equal(FileKind.SymbolicLink, kept["lib"].Kind);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("..")]
    [InlineData("../canarydir")]
    [InlineData("/proc/self/root/tmp")]
    [Trait("Pull", "C8")]
    public void KeptDirectoryLinks_LeadNowhereOutside(string target)
    {
        var tree = _sandbox.Flat(new UnpackOptions { KeepDirectoryLinks = true }, new TarBytes().SymbolicLink("etc", target).End(), new TarBytes().File("etc/canary", "dead").End());

        Assert.Contains("4: dead", tree.ToString(), StringComparison.Ordinal);
        _sandbox.AssertCanaries();
    }

    [Theory]
    [InlineData("real")]
    [InlineData("/real")]
    [InlineData("../../real")]
    [InlineData("x/../real/.")]
    [Trait("Pull", "B49")]
    public void Parent_ThatIsALinkOfTheSameLayer_IsFollowedWithinTheRoot(string target)
    {
        var tree = _sandbox.Both(new TarBytes().Directory("real").Directory("x").SymbolicLink("d", target).File("d/f", "x").End());

        Assert.Equal("1: x", tree.Content("real/f"));
        Assert.Equal(FileKind.SymbolicLink, tree["d"].Kind);
    }

    [Fact]
    [Trait("Pull", "B49")]
    public void Parent_ThatIsAnAbsoluteLinkFurtherDown_StartsAtTheRoot() =>
        Assert.Equal("1: x", _sandbox.Both(new TarBytes().Directory("real").SymbolicLink("x/y/d", "/real").File("x/y/d/f", "x").End()).Content("real/f"));
}
