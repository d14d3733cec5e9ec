using Gantry.Engine.Posix;
using Gantry.Engine.Unpack;
using Gantry.Layers;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>PULL.md C2 and C3 65-68: special files, and layers that want too much.</summary>
[Trait("Speed", "Slow")]
public sealed class ExhaustionTests : IDisposable
{
    private readonly UnpackSandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    [Trait("Pull", "C35")]
    public void Pipe_IsNeverOpened()
    {
        var tree = _sandbox.Both(new TarBytes().Fifo("f").File("f", "x").Fifo("g").HardLink("h", "g").Fifo("i").End(), new TarBytes().File("i", "x").File("g/x", "x").End());

        Assert.Equal((FileKind.RegularFile, FileKind.Fifo, FileKind.Directory), (tree["f"].Kind, tree["h"].Kind, tree["g"].Kind));
        Assert.Equal(LayerFault.Link, _sandbox.Refuses(new TarBytes().Fifo("p").SymbolicLink("s", "p").File("s/x").End()).Fault);
    }

    [Fact]
    [Trait("Pull", "C40")]
    public void Attributes_TooMany_AreRefused()
    {
        Assert.Equal(LayerFault.TooLarge, _sandbox.Refuses(new TarBytes().Pax(("SCHILY.xattr.user.a", new byte[65537])).File("f").End()).Fault);
        Assert.Equal(LayerFault.TooLarge, _sandbox.Refuses(new TarBytes().Pax(($"SCHILY.xattr.user.{new string('a', 251)}", "1")).File("f").End()).Fault);
        Assert.Equal(LayerFault.TooLarge, _sandbox.Refuses(new TarBytes().Pax([.. Enumerable.Range(0, 1000).Select(index => ((FieldBytes)$"SCHILY.xattr.user.{index}", (FieldBytes)"1"))]).File("f").End()).Fault);
        Assert.Equal(LayerFault.TooLarge, _sandbox.Refuses(new TarBytes().Pax([.. Enumerable.Range(0, 5).Select(index => ((FieldBytes)$"SCHILY.xattr.user.{index}", (FieldBytes)new byte[65536]))]).Directory("d").End()).Fault);
    }

    [Fact]
    [Trait("Pull", "C43")]
    public void Owner_BeyondTheNumbers_IsRefused()
    {
        Assert.Equal(LayerFault.Archive, _sandbox.Refuses(new TarBytes().Pax(("uid", "18446744073709551616")).File("f").End()).Fault);
        Assert.Equal(LayerFault.Archive, _sandbox.Refuses(new TarBytes().Pax(("uid", "4294967295")).File("f").End()).Fault);
    }

    [Fact]
    [Trait("Pull", "C61")]
    public void Size_ThatIsALie_IsRefusedBeforeAByteIsWritten()
    {
        var layer = new TarBytes().PaxSparse10("f", long.MaxValue, [(long.MaxValue - 1, 1)], "x").End();

        Assert.Equal(LayerFault.TooLarge, _sandbox.Refuses(layer).Fault);
    }

    [Fact]
    public void Sparse_KeepsItsHolesAndSize()
    {
        var tree = _sandbox.Both(new TarBytes().PaxSparse10("f", 1 << 20, [(0, 3), (500_000, 3)], "abcdef").End());

        Assert.StartsWith("1048576: ", tree.Content("f"));
        using var file = File.OpenHandle(Path.Combine(_sandbox.Root, "flat0", "f"));
        var middle = new byte[5];
        RandomAccess.Read(file, middle, 499_999);
        Assert.Equal([0, (byte)'d', (byte)'e', (byte)'f', 0], middle);
    }

    [Fact]
    [Trait("Pull", "C61")]
    [Trait("Pull", "C68")]
    public void Limits_OfEachKind_AreTyped()
    {
        Assert.All<(UnpackOptions Options, TarBytes Layer)>(
            [
                (new() { MaxEntries = 2 }, new TarBytes().File(".wh.a").File(".wh.b").File(".wh.c")),
                (new() { MaxInodes = 3 }, new TarBytes().File("a/b/c/d")),
                (new() { MaxBytes = 1000 }, new TarBytes().File("a", new string('x', 600)).File("b", new string('x', 600))),
                (new() { MaxApparentBytes = 1000 }, new TarBytes().File("a", new string('x', 600)).File("a", new string('x', 600))),
                (new() { MaxBookkeeping = 10_000 }, Many(new TarBytes(), 100, (layer, index) => layer.File($".wh.{new string('n', 90)}{index}"))),
                (new() { MaxBookkeeping = 10_000 }, Many(new TarBytes(), 100, (layer, index) => layer.Directory($"d{index}"))),
                (new() { MaxBookkeeping = 10_000 }, Many(new TarBytes(), 100, (layer, index) => layer.HardLink($"h{index}", "absent"))),
            ],
            limited => Assert.Equal(LayerFault.TooLarge, _sandbox.Refuses(limited.Options, limited.Layer.End()).Fault));
    }

    [Fact]
    [Trait("Pull", "C65")]
    public void SamePath_ManyTimes_IsBoundedAndTheLastWins()
    {
        var tree = _sandbox.Both(Many(new TarBytes(), 5_000, (layer, index) => layer.File("f", $"{index}")).End());

        Assert.Equal("4: 4999", tree.Content("f"));
        Assert.Equal(4_999, _sandbox.Notes[0].WarningCount);
        Assert.Single(_sandbox.Notes[0].Warnings);
    }

    [Fact]
    [Trait("Pull", "C67")]
    public void DeepTree_AsDeepAsAPathGoes_IsUnpackedAndRemoved()
    {
        var path = string.Concat(Enumerable.Repeat("d/", 2000));
        var tree = _sandbox.Both(new TarBytes().Pax(("path", $"{path}f")).File("x", "x").End(), new TarBytes().Pax(("path", $"{path}g")).File("x", "x").End());
        Assert.Equal(2002, tree.Paths.Count());

        // And goes as a whole when a layer removes it.
        Assert.Equal(["e"], _sandbox.Both(new TarBytes().Pax(("path", $"{path}f")).File("x", "x").End(), new TarBytes().File(".wh.d").File("e").End()).Paths);
        Assert.Equal(LayerFault.Path, _sandbox.Refuses(new TarBytes().Pax(("path", string.Concat(Enumerable.Repeat("d/", 5000)))).Directory("x").End()).Fault);
        Assert.Equal(LayerFault.Path, _sandbox.Refuses(new TarBytes().Pax(("path", path)).Directory("x").Pax(("linkpath", path)).SymbolicLink("s", "x").Pax(("path", $"s/{path}")).Directory("x").End()).Fault);
    }

    [Fact]
    [Trait("Pull", "C67")]
    [Trait("Pull", "C68")]
    public void TreeRemoval_OfDeepAndWideTrees_LeavesNothing()
    {
        var top = Path.Combine(_sandbox.Root, "flat0");
        Directory.CreateDirectory(top);
        File.CreateSymbolicLink(Path.Combine(top, "out"), Path.Combine(_sandbox.Directory, "canarydir"));
        for (var index = 0; index < 3000; index++) Directory.CreateDirectory(Path.Combine(top, $"wide{index}", "in"));
        var current = new Descriptor(Kernel.OpenDirectory(top));
        for (var depth = 0; depth < 5000; depth++)
        {
            Assert.Equal(0, Kernel.MakeDirectory(current.Number, "d"u8, 0x1C0));
            var next = new Descriptor(Kernel.Open(current.Number, "d"u8, Kernel.Directory));
            new Descriptor(Kernel.Open(current.Number, "f"u8, Kernel.Create | Kernel.Exclusive | Kernel.WriteOnly, 0x180)).Dispose();
            current.Dispose();
            current = next;
        }

        current.Dispose();
        TreeRemoval.Remove(top);
        TreeRemoval.Remove(top);

        Assert.False(Directory.Exists(top));
        _sandbox.AssertCanaries();
    }

    [Fact]
    public void Cancelled_LeavesNothing()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        foreach (var mode in Enum.GetValues<UnpackMode>())
        {
            using var unpacker = new LayerUnpacker(_sandbox.NewTree("flat"), mode, new());
            Assert.Throws<OperationCanceledException>(() => unpacker.Apply(new TarBytes().File("f").End().ToStream(), source.Token));
            Assert.Empty(Directory.EnumerateFileSystemEntries(_sandbox.LastTree));
        }
    }

    private static TarBytes Many(TarBytes layer, int count, Action<TarBytes, int> add)
    {
        for (var index = 0; index < count; index++) add(layer, index);
        return layer;
    }
}
