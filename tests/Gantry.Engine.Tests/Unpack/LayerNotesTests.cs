using System.Text;
using Gantry.Engine.Posix;
using Gantry.Engine.Unpack;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Unpack;

public sealed class LayerNotesTests : IDisposable
{
    private readonly UnpackSandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void Notes_WithNamesOfAnyBytes_ComeBackAsTheyWere()
    {
        var notes = new LayerNotes
        {
            ImpliedDirectories = [new([]), new("a/b\n\"\u001B"u8.ToArray()), new([0xFF, (byte)'/', 0xC3])],
            CrossLinks = [new(new([0xFE]), new("{\"base64\": \"QQ==\"}"u8.ToArray()))],
            RemovalDirectories = [new("d"u8.ToArray())], HidesLayersBelow = true, UsesUserAttributes = true, Entries = 3, Files = 2, Bytes = 1, Warnings = ["w"], WarningCount = 9,
        };
        var saved = new MemoryStream();
        notes.Save(saved);
        var loaded = LayerNotes.Load(new MemoryStream(saved.ToArray()));

        Assert.Equal(notes.ImpliedDirectories, loaded.ImpliedDirectories);
        Assert.Equal(notes.CrossLinks, loaded.CrossLinks);
        Assert.Equal((notes.HidesLayersBelow, notes.UsesUserAttributes, 3, 2, 1, 9), (loaded.HidesLayersBelow, loaded.UsesUserAttributes, loaded.Entries, loaded.Files, loaded.Bytes, loaded.WarningCount));
        Assert.Contains("\"base64\"", Encoding.UTF8.GetString(saved.ToArray()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"impliedDirectories\":[{\"other\":\"\"}]}")]
    public void Notes_Damaged_AreALocalFault(string text) =>
        Assert.Equal(EngineFault.Local, Assert.Throws<EngineException>(() => LayerNotes.Load(new MemoryStream(Encoding.UTF8.GetBytes(text)))).Fault);

    [Fact]
    [Trait("Pull", "B7")]
    public void Chain_WithNothingToCorrect_SharesItsLayersAlone()
    {
        var lower = _sandbox.Alone(new(), new TarBytes().Directory("./").Directory("d").File("d/a").End(), "0");
        var upper = _sandbox.Alone(new(), new TarBytes().Directory("./").Directory("d").File("d/b").End(), "1");

        Assert.Equal(new ChainLinks(false, 0), new ChainLinker([lower, upper]).Link(_sandbox.NewTree("fix")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_sandbox.LastTree));
    }

    [Fact]
    [Trait("Pull", "B53")]
    [Trait("Pull", "C25")]
    public void Chain_WithAnOpaqueRoot_LeavesTheLayersBelowOut()
    {
        var lower = _sandbox.Alone(new(), new TarBytes().Directory("./").File("a").End(), "0");
        var upper = _sandbox.Alone(new(), new TarBytes().Directory("./").File(".wh..wh..opq").File("b").End(), "1");

        Assert.Equal(1, new ChainLinker([lower, upper]).Link(_sandbox.NewTree("fix")).Lowest);
    }

    [Theory]
    [InlineData("a/b", 0)]
    [InlineData("a/link", Errno.Loop)]
    [InlineData("link/b", Errno.Loop)]
    [InlineData("a/file", Errno.NotDirectory)]
    [InlineData("..", Errno.CrossDevice)]
    [InlineData("a/../..", Errno.CrossDevice)]
    [InlineData("a/../../root-evil", Errno.CrossDevice)]
    [InlineData("a/none", Errno.NoEntry)]
    public void OpeningBeneath_WithAndWithoutOpenat2_FollowsNothing(string path, int error)
    {
        _sandbox.Flat(new TarBytes().Directory("a/b").SymbolicLink("link", "a").SymbolicLink("a/link", "b").File("a/file").End());
        using var root = new Descriptor(Kernel.OpenDirectory(_sandbox.LastTree));
        Func<int, byte[], int>[] ways = [(directory, name) => Kernel.OpenDirectoryBeneath(directory, name), (directory, name) => Kernel.OpenByComponent(directory, name)];
        foreach (var open in ways)
        {
            var result = open(root.Number, Encoding.UTF8.GetBytes(path));
            if (result >= 0) Kernel.Close(result);

            // O_DIRECTORY makes the one of the two ways say "no directory" of a link.
            if (error == 0) Assert.True(result >= 0);
            else Assert.Contains(result, (int[])[-error, error == Errno.Loop ? -Errno.NotDirectory : -error]);
        }
    }

    [Fact]
    public void Flat_AfterAKill_RemovesWhatWasLeftAndNothingElse()
    {
        var tree = _sandbox.NewTree("flat");
        Directory.CreateDirectory(Path.Combine(tree, ".wh..gantry-0123", "fs", "deep"));
        Directory.CreateDirectory(Path.Combine(tree, "kept"));
        new LayerUnpacker(tree, UnpackMode.Flat, new()).Dispose();

        Assert.Equal(["kept"], TreeSnapshot.Of(tree).Paths);
    }
}
