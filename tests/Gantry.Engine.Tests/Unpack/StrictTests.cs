using Gantry.Engine.Unpack;
using Gantry.Layers;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>What is forgiven as a rule and refused by who wants it strictly, and links that are kept.</summary>
public sealed class StrictTests : IDisposable
{
    private readonly UnpackSandbox _sandbox = new();

    private static UnpackOptions Keeping { get; } = new() { KeepDirectoryLinks = true };

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    [Trait("Pull", "C64")]
    [Trait("Pull", "B6")]
    public void Archive_BehindTheEnd_IsNoPartOfTheLayer()
    {
        var two = new TarBytes().File("a", "1").End().File("b", "2").End();

        Assert.Equal(["a"], _sandbox.Both(two).Paths);
        Assert.Equal(LayerFault.Archive, _sandbox.Refuses(UnpackSandbox.Strict, two).Fault);
        Assert.Equal(LayerFault.Archive, _sandbox.Refuses(UnpackSandbox.Strict, new TarBytes().File("a").End().Raw("x")).Fault);
        Assert.Equal(["a"], _sandbox.Both(UnpackSandbox.Strict, new TarBytes().File("a", "1").End().Zeros(9 * 512)).Paths);
    }

    [Fact]
    [Trait("Pull", "B10")]
    public void Size_OfWhatIsNoFile_HidesNoEntry()
    {
        var tree = _sandbox.Both(new TarBytes().Directory("d", header => header.Size(512)).SymbolicLink("s", "d", header => header.Size(1024)).Fifo("p", header => header.Size(1))
            .Device('3', "c", 1, 3, header => header.Size(2048)).File("f", "x").HardLink("h", "f", header => header.Size(512)).File("last", "y").End());

        Assert.Equal(["c", "d", "f", "h", "last", "p", "s"], tree.Paths);
        Assert.Equal(("1: y", "f h"), (tree.Content("last"), tree["h"].Links));
    }

    [Fact]
    [Trait("Pull", "B48")]
    public void KeptLinks_OfAChain_AreAllFollowed()
    {
        var lower = new TarBytes().File("r/x/f", "old").SymbolicLink("a", "b").SymbolicLink("b", "/r").SymbolicLink("up", "r/..").End();

        var tree = _sandbox.Flat(Keeping, lower, new TarBytes().File("a/x/g", "new").File("a/x/.wh.f").File("up/n", "n").End());

        Assert.Equal(["a", "b", "n", "r", "r/x", "r/x/g", "up"], tree.Paths);
        _sandbox.AssertCanaries();
    }

    [Fact]
    public void KeptLinks_WhereTwoNamesAreOneDirectory_MergeBoth()
    {
        var lower = new TarBytes().File("usr/lib/old").SymbolicLink("lib", "usr/lib").End();

        var tree = _sandbox.Flat(Keeping, lower, new TarBytes().File("lib/a", "a").File("usr/lib/b", "b").File("usr/lib/.wh.old").End());

        Assert.Equal(["lib", "usr", "usr/lib", "usr/lib/a", "usr/lib/b"], tree.Paths);
    }

    [Theory]
    [InlineData("lib/a usr")] // a file in the place of the directory that the link leads through
    [InlineData("lib/a .wh.usr usr/x")]
    [InlineData("lib/a .wh.usr")]
    [InlineData("lib/a usr/.wh.lib")]
    [InlineData("lib/a usr/.wh..wh..opq")]
    [InlineData("lib/.wh..wh..opq usr/lib/b")]
    [InlineData("lib/new/a usr/lib/new/b")]
    [InlineData("lib/.wh.n usr/lib/n")]
    [InlineData("top/x lib/.wh.deep lib/deep/y top/.wh..wh..opq")]
    public void KeptLinks_ThatContradictTheLayer_ChangeNothingOrEnd(string names)
    {
        var lower = new TarBytes().File("usr/lib/deep/old", "o").File("usr/lib/n", "n").SymbolicLink("lib", "usr/lib").SymbolicLink("top", ".").File("other", "x").End();
        var layer = new TarBytes();
        foreach (var name in names.Split(' ')) layer.File(name, "new");

        _sandbox.Flat(Keeping, lower);
        var (tree, before) = (_sandbox.LastTree, TreeSnapshot.Of(_sandbox.LastTree).ToString());
        using var unpacker = new LayerUnpacker(tree, UnpackMode.Flat, Keeping);
        var refusal = Record.Exception(() => unpacker.Apply(layer.End().ToStream(), default));

        // Some of it can be done: then it is, whole, and nothing of the work is left. No half of it, and no fault of this machine.
        if (refusal is null) Assert.All(names.Split(' ').Where(name => !name.Contains(".wh.", StringComparison.Ordinal)), name => Assert.True(File.Exists(Path.Combine(tree, name))));
        else
        {
            Assert.Equal(LayerFault.Link, Assert.IsType<LayerException>(refusal).Fault);
            Assert.Equal(before, TreeSnapshot.Of(tree).ToString());
        }

        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(tree), path => Path.GetFileName(path).StartsWith(".wh.", StringComparison.Ordinal));
        _sandbox.AssertCanaries();
    }
}
