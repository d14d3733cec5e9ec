using System.Text;
using Gantry.Layers;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>
/// PULL.md B1, B2 and C3 on a tree: archives that are broken or lie are refused in both modes, after files were written already, and nothing of the layer is left.
/// What exactly the reader says of each is tested beside it.
/// </summary>
public sealed class HostileArchiveTests : IDisposable
{
    private static readonly Dictionary<string, (LayerFault Fault, Func<TarBytes, TarBytes> Add)> Cases = new(StringComparer.Ordinal)
    {
        ["bad checksum"] = (LayerFault.Archive, layer => layer.File("x", "x", header => header.Checksum("123456")).End()),
        ["zeros, then a header"] = (LayerFault.Archive, layer => layer.Zeros(512).File("x").End()),
        ["header cut"] = (LayerFault.Archive, layer => layer.Raw(new TarBytes().File("x").ToArray()[..300])),
        ["content cut"] = (LayerFault.Archive, layer => layer.Raw(new TarBytes().File("x", new string('x', 2000)).ToArray()[..1500])),
        ["unknown type"] = (LayerFault.EntryType, layer => layer.Entry('Q', "x").End()),
        ["pax size 0 over a larger field"] = (LayerFault.Archive, layer => layer.Pax(("size", "0")).File("x", new string('x', 512)).End()),
        ["negative size"] = (LayerFault.Archive, layer => layer.Header(header => header.Type('0').Name("x").Base256(124, 12, -1)).End()),
        ["negative pax size"] = (LayerFault.Archive, layer => layer.Pax(("size", "-1")).File("x").End()),
        ["long name of 8 GiB"] = (LayerFault.TooLarge, layer => layer.Header(header => header.Type('L').Name("././@LongLink").Size(8L << 30))),
        ["pax of 8 GiB"] = (LayerFault.TooLarge, layer => layer.Header(header => header.Type('x').Name("x").Size(8L << 30))),
        ["pax length too long"] = (LayerFault.Archive, layer => layer.PaxRaw("99 path=a\n").File("x").End()),
        ["pax length 0"] = (LayerFault.Archive, layer => layer.PaxRaw("0 x=y\n").File("x").End()),
        ["pax without ="] = (LayerFault.Archive, layer => layer.PaxRaw("7 pathx\n").File("x").End()),
        ["pax for nothing"] = (LayerFault.Archive, layer => layer.Pax(("path", "x")).End()),
        ["NUL in a pax name"] = (LayerFault.Archive, layer => layer.Pax(("path", "x\0y")).File("x").End()),
        ["number too large"] = (LayerFault.Archive, layer => layer.Pax(("uid", "99999999999999999999")).File("x").End()),
        ["component too long"] = (LayerFault.Path, layer => layer.Pax(("path", new string('n', 256))).File("x").End()),
        ["path too long"] = (LayerFault.Path, layer => layer.Pax(("path", string.Concat(Enumerable.Repeat("nnnnnnn/", 600)) + "x")).File("x").End()),
        ["sparse pieces over each other"] = (LayerFault.Archive, layer => layer.PaxSparse01("x", 100, [(0, 50), (20, 50)], new string('x', 100)).End()),
        ["sparse piece beyond the end"] = (LayerFault.Archive, layer => layer.PaxSparse01("x", 10, [(0, 50)], new string('x', 50)).End()),
        ["symbolic link to nothing"] = (LayerFault.Archive, layer => layer.SymbolicLink("x", "").End()),
        ["hard link to nothing"] = (LayerFault.Archive, layer => layer.HardLink("x", "").End()),
        ["hard link to itself"] = (LayerFault.Link, layer => layer.HardLink("x", "x").End()),
        ["no archive"] = (LayerFault.Archive, layer => layer.Raw(Encoding.ASCII.GetBytes(new string('j', 2048)))),
    };

    private readonly UnpackSandbox _sandbox = new();

    public static TheoryData<string> Names => [.. Cases.Keys];

    public void Dispose() => _sandbox.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Pull", "B1")]
    [Trait("Pull", "B2")]
    [Trait("Pull", "B3")]
    [Trait("Pull", "B9")]
    [Trait("Pull", "B22")]
    [Trait("Pull", "B23")]
    [Trait("Pull", "B26")]
    [Trait("Pull", "C28")]
    [Trait("Pull", "C47")]
    [Trait("Pull", "C49")]
    [Trait("Pull", "C50")]
    [Trait("Pull", "C52")]
    [Trait("Pull", "C53")]
    [Trait("Pull", "C55")]
    [Trait("Pull", "C56")]
    [Trait("Pull", "C62")]
    [Trait("Pull", "C76")]
    public void Layer_ThatIsBroken_LeavesNothing(string name)
    {
        var (fault, add) = Cases[name];
        var lower = new TarBytes().File("kept", "kept").Directory("d").File("d/kept", "kept").End();
        var layer = add(new TarBytes().File("good", "good").File("kept", "new").File("d/.wh.kept").Directory("new"));

        Assert.Equal(fault, _sandbox.Refuses(lower, layer).Fault);
    }

    [Fact]
    [Trait("Pull", "C59")]
    public void SparseMap_WithoutEnd_IsRefused()
    {
        var layer = new TarBytes().Header(header => header.Type('S').Name("x").Size(0).Gnu().Number(483, 12, 1 << 30).At(482, (byte[])[1]));
        for (var block = 0; block < 4000; block++) layer.OldSparseBlock([.. Enumerable.Range(block * 21, 21).Select(index => ((long)index * 10, 1L))], isContinued: true);

        Assert.Equal(LayerFault.TooLarge, _sandbox.Refuses(layer).Fault);
    }

    [Fact]
    [Trait("Pull", "C58")]
    [Trait("Pull", "B20")]
    public void GlobalHeader_NamesNothing() => Assert.Equal(["x"], _sandbox.Both(new TarBytes().Global(("path", "evil"), ("linkpath", "evil")).File("x").End()).Paths);

    [Fact]
    [Trait("Pull", "C68")]
    public void Notes_OfDeepTreesWithoutEntries_AreBounded()
    {
        // A thousand names at the end of a path of 4,000 bytes: little to send, and 4 MB of paths to remember.
        var deep = string.Concat(Enumerable.Repeat("d/", 1990));
        var layer = new TarBytes();
        for (var index = 0; index < 1000; index++) layer.Pax(("path", $"{deep}{index}/f")).File("x");
        using var unpacker = new Engine.Unpack.LayerUnpacker(_sandbox.NewTree("layer"), Engine.Unpack.UnpackMode.Layer, new() { MaxBookkeeping = 2 << 20 });

        Assert.Equal(LayerFault.TooLarge, Assert.Throws<LayerException>(() => unpacker.Apply(layer.End().ToStream(), default)).Fault);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_sandbox.LastTree));
    }
}
