using System.Text;
using Gantry.Engine.Posix;
using Gantry.Engine.Unpack;
using Gantry.Layers;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>PULL.md C1: names and links that want to leave the root. What is accepted ends inside, in both modes alike; what is refused leaves nothing.</summary>
/// <param name="withoutOpenat2">As where a filter keeps the call away: each component is opened alone.</param>
public abstract class EscapeContract(bool withoutOpenat2) : IDisposable
{
    private readonly UnpackSandbox _sandbox = new() { IsWithoutOpenat2 = withoutOpenat2 };

    private string Canary => Path.Combine(_sandbox.Directory, "canary");

    public void Dispose()
    {
        _sandbox.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData("../canary")]
    [InlineData("a/../../canary")]
    [InlineData("/../canary")]
    [InlineData("a/../b")]
    [InlineData("../root-evil/x")]
    [Trait("Pull", "B12")]
    [Trait("Pull", "C1")]
    [Trait("Pull", "C2")]
    public void Name_WithDotDot_IsRefusedForEveryType(string name)
    {
        Assert.All<TarBytes>(
            [
                new TarBytes().File(name, "dead"), new TarBytes().Directory(name), new TarBytes().SymbolicLink(name, "/"), new TarBytes().Fifo(name),
                new TarBytes().File("t").HardLink(name, "t"), new TarBytes().Device('3', name, 1, 3), new TarBytes().Pax(("path", name)).File("x"),
            ],
            layer => Assert.Equal(LayerFault.Path, _sandbox.Refuses(layer.End()).Fault));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../..")]
    [InlineData("/")]
    [InlineData("/..")]
    [InlineData("./x/../../..")]
    [InlineData("CANARIES")]
    [Trait("Pull", "C5")]
    [Trait("Pull", "C7")]
    public void WriteThroughALink_StaysInside(string target)
    {
        target = target.Replace("CANARIES", Path.Combine(_sandbox.Directory, "canarydir"), StringComparison.Ordinal);
        Assert.Contains("4: dead", _sandbox.Both(new TarBytes().SymbolicLink("d", target).File("d/canary", "dead").File("d/x", "dead").End()).ToString(), StringComparison.Ordinal);
        Assert.Contains("4: dead", _sandbox.Both(new TarBytes().SymbolicLink("a", "b").SymbolicLink("b", "c").SymbolicLink("c", target).File("a/canary", "dead").Directory("a/canarydir").End()).ToString(), StringComparison.Ordinal);
        Assert.Contains("4: dead", _sandbox.Both(new TarBytes().SymbolicLink("d", target).File("t", "dead").HardLink("d/canary", "t").SymbolicLink("d/s", "x").Fifo("d/p").End()).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("..")]
    [InlineData("/proc/self/cwd")]
    [Trait("Pull", "C8")]
    public void WriteThroughALinkOfAnotherLayer_StaysInside(string target)
    {
        var tree = _sandbox.Both(new TarBytes().SymbolicLink("etc", target).End(), new TarBytes().File("etc/canary", "dead").End());

        Assert.Equal(["etc", "etc/canary"], tree.Paths);
    }

    [Theory]
    [InlineData('0')]
    [InlineData('1')]
    [InlineData('2')]
    [InlineData('3')]
    [InlineData('6')]
    [Trait("Pull", "B13")]
    [Trait("Pull", "C10")]
    public void Root_AsSomethingElse_IsRefused(char type)
    {
        foreach (var name in (string[])["./", "/", "."])
            Assert.Equal(LayerFault.EntryType, _sandbox.Refuses(new TarBytes().Entry(type, name, default, header => header.LinkName("canary")).End()).Fault);
    }

    [Fact]
    [Trait("Pull", "C11")]
    public void File_OverALinkToTheCanary_ReplacesTheLink()
    {
        Assert.Equal("4: dead", _sandbox.Both(new TarBytes().SymbolicLink("f", Canary).File("f", "dead").End()).Content("f"));
        Assert.Equal("4: dead", _sandbox.Both(new TarBytes().SymbolicLink("f", Canary).End(), new TarBytes().File("f", "dead").End()).Content("f"));
        Assert.Equal(FileKind.Directory, _sandbox.Both(new TarBytes().SymbolicLink("f", Path.GetDirectoryName(Canary)!).Directory("f", header => header.Mode(0)).End())["f"].Kind);
    }

    [Theory]
    [InlineData("../canary", LayerFault.Path)]
    [InlineData("/etc/passwd", LayerFault.Link)]
    [InlineData("d/canary", LayerFault.Link)]
    [InlineData("d", null)]
    [Trait("Pull", "C13")]
    [Trait("Pull", "C14")]
    public void HardLink_OutOfTheRoot_IsRefused(string target, LayerFault? fault)
    {
        var layer = new TarBytes().SymbolicLink("d", _sandbox.Directory).HardLink("h", target).File("h", "dead").End();

        // With the file entry behind it an unresolved link is replaced; nothing was ever linked.
        if (fault == LayerFault.Path) Assert.Equal(fault, _sandbox.Refuses(layer).Fault);
        else Assert.Equal("4: dead", _sandbox.Both(layer).Content("h"));
        if (fault is not null) Assert.Equal(fault, _sandbox.Refuses(new TarBytes().SymbolicLink("d", _sandbox.Directory).HardLink("h", target).End()).Fault);
        if (fault is not null) Assert.Equal(fault, _sandbox.Refuses(new TarBytes().SymbolicLink("d", _sandbox.Directory).End(), new TarBytes().HardLink("h", target).End()).Fault);
    }

    [Fact]
    [Trait("Pull", "C19")]
    public void RealPath_LongerThanLinuxTakes_IsRefused()
    {
        var (layer, path, name) = (new TarBytes(), "", new string('d', 240));
        for (var depth = 0; depth < 16; depth++)
        {
            path += $"{name}/";
            layer.Pax(("path", path)).Directory("x");
            layer.Pax(("path", $"{path}up")).SymbolicLink("x", "../..");
        }

        layer.Pax(("linkpath", path)).SymbolicLink("far", "x");
        foreach (var end in (string[])["far", $"far/{name}", $"far/{name}/{name}"])
        {
            var bytes = new TarBytes().Raw(layer.ToArray()).Pax(("linkpath", end)).SymbolicLink("esc", "x").Pax(("path", $"esc/{string.Concat(Enumerable.Repeat($"{name}/", 3))}../canary")).File("x", "dead").End();
            Assert.Equal(LayerFault.Path, _sandbox.Refuses(bytes).Fault);
        }

        var long2 = new TarBytes().Raw(layer.ToArray()).Pax(("path", $"far/{name}/{name}/f")).File("x", "dead").End();
        Assert.Equal(LayerFault.Path, _sandbox.Refuses(long2).Fault);
    }

    [Theory]
    [InlineData("b")]
    [InlineData("a")]
    [InlineData("./a/../b")]
    [Trait("Pull", "C20")]
    public void LinksInACircle_AreRefused(string target)
    {
        Assert.Equal(LayerFault.Link, _sandbox.Refuses(new TarBytes().SymbolicLink("a", target).SymbolicLink("b", "a").File("a/x").End()).Fault);
        Assert.Equal(LayerFault.Link, _sandbox.Refuses(new TarBytes().SymbolicLink("a", target).SymbolicLink("b", "a").HardLink("h", "a/x").End()).Fault);
        Assert.Equal(LayerFault.Link, _sandbox.Refuses(new TarBytes().SymbolicLink("a", target).SymbolicLink("b", "a").File("a/.wh.x").End()).Fault);
    }

    [Fact]
    [Trait("Pull", "C20")]
    public void LinksThatMultiply_AreRefusedInBoundedTime()
    {
        // Each link leads twice through the one before: 2^30 steps for whoever walks them all.
        var layer = new TarBytes().Directory("d");
        for (var index = 0; index < 30; index++) layer.SymbolicLink($"l{index}", index == 0 ? "d" : $"l{index - 1}/../l{index - 1}");

        Assert.Equal(LayerFault.Link, _sandbox.Refuses(layer.File("l29/x").End()).Fault);
    }

    [Theory]
    [InlineData("/proc/self/root")]
    [InlineData("/proc/self/cwd")]
    [InlineData("/proc/self/fd/3")]
    [InlineData("/proc/1/root")]
    [Trait("Pull", "C26")]
    public void MagicLinks_AreNames(string target)
    {
        var tree = _sandbox.Both(new TarBytes().SymbolicLink("p", target).File($"p{_sandbox.CanaryInTmp}", "dead").End());

        Assert.Equal("4: dead", tree.Content($"{target[1..]}{_sandbox.CanaryInTmp}"));
    }

    [Fact]
    [Trait("Pull", "C28")]
    public void ControlCharacters_ReachNoMessage()
    {
        var refusal = _sandbox.Refuses(UnpackSandbox.Strict, new TarBytes().File("\u001B[2J\n", "1").File("\u001B[2J\n", "2").End());

        Assert.Contains("\\u001b", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Root_ThatIsALink_IsTheOperatorsChoice()
    {
        var real = _sandbox.NewTree("flat");
        var link = Path.Combine(_sandbox.Root, "flat999");
        File.CreateSymbolicLink(link, real);
        using (var unpacker = new LayerUnpacker(link, UnpackMode.Flat, new())) unpacker.Apply(new TarBytes().File("f", "x").End().ToStream(), default);

        Assert.Equal("x", File.ReadAllText(Path.Combine(real, "f"), Encoding.UTF8));
    }
}

/// <summary>On a kernel as it is.</summary>
public sealed class EscapeTests() : EscapeContract(withoutOpenat2: false);

/// <summary>Where the kernel cannot resolve a whole path safely.</summary>
public sealed class EscapeWithoutOpenat2Tests() : EscapeContract(withoutOpenat2: true);
