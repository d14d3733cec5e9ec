using System.Text;
using Gantry.Core.Look;
using Gantry.Oci;
using Gantry.TestKit.Tar;

namespace Gantry.Core.Tests.Look;

[Trait("Speed", "Slow")]
public sealed class FileTextsTests : IAsyncLifetime
{
    private LookRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await LookRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task Read_FollowsLinksWithinTheImage()
    {
        await _registry.PushAsync("v1",
            new TarBytes().File("etc/real", "content\n").SymbolicLink("etc/up", "../../../etc/real").SymbolicLink("abs", "/etc/up").SymbolicLink("loop", "loop")
                .SymbolicLink("usr", "etc").SymbolicLink("proc", "/proc/self/environ").HardLink("etc/hard", "etc/real").End(),
            new TarBytes().File("other", new string('x', 3000)).HardLink("cross", "etc/real").HardLink("broken", "nowhere").End(),
            new TarBytes().File("etc/real", "newer\n").HardLink("again", "cross").End());

        Assert.Equal("newer\n", await TextAsync("etc/real"));
        Assert.Equal("newer\n", await TextAsync("abs"));
        Assert.Equal("newer\n", await TextAsync("usr/up"));
        Assert.Equal("content\n", await TextAsync("etc/hard"));

        // A hard link is to what the layers below have, and stays so.
        Assert.Equal("content\n", await TextAsync("cross"));
        Assert.Equal("content\n", await TextAsync("again"));
        Assert.Null(await ReadAsync("loop"));
        Assert.Null(await ReadAsync("proc"));
        Assert.Null(await ReadAsync("etc/real/x"));
        Assert.Equal("it is no file", (await ReadAsync("broken"))!.WhyNot);
    }

    [Fact]
    public async Task Read_OfWhatIsNoFile_SaysWhyNot()
    {
        await _registry.PushAsync("v1", new TarBytes().Device('3', "dev/null", 1, 3).Fifo("pipe").Directory("d").File("empty")
            .PaxSparse10("sparse", 1 << 20, [(0, 4)], "data").End());
        foreach (var name in new[] { "dev/null", "pipe", "d", "sparse" }) Assert.NotNull((await ReadAsync(name))!.WhyNot);
        Assert.Equal("", await TextAsync("empty"));
    }

    [Fact]
    public async Task Read_TellsTextFromBinary_AndCutsAtACharacter()
    {
        var large = string.Concat(Enumerable.Repeat("äöü€", 100_000));
        await _registry.PushAsync("v1", new TarBytes().File("utf8", "grüße\t\u001b[1m").File("latin", (byte[])[0x67, 0xFC, 0x0A]).File("binary", (byte[])[0x7F, 0x45, 0x4C, 0x46, 0])
            .File("windows", (byte[])[0x67, 0x80]).File("large", large).File("after", "after").End());

        Assert.Equal((TextKind.Utf8, "grüße\t\u001b[1m"), await JudgeAsync("utf8"));
        Assert.Equal((TextKind.Latin1, "gü\n"), await JudgeAsync("latin"));
        Assert.Equal((TextKind.Binary, ""), await JudgeAsync("binary"));
        Assert.Equal((TextKind.Binary, ""), await JudgeAsync("windows"));
        Assert.Equal((TextKind.Utf8, "after"), await JudgeAsync("after"));
        var cut = await ReadAsync("large");
        Assert.True(cut!.IsCut);
        Assert.Equal(TextKind.Utf8, cut.Kind);
        Assert.InRange(cut.Content.Length, FileTexts.MaxBytes - 3, FileTexts.MaxBytes);
        Assert.StartsWith(cut.Text, large, StringComparison.Ordinal);
    }

    /// <summary>What was read of a layer is in a file that is given up in the middle of it, however long it is.</summary>
    [Fact]
    public async Task Read_FromTheStartOfALongLayer_LeavesTheRestAlone()
    {
        var tar = new TarBytes().File("first", "first");
        for (var number = 0; number < 40; number++) tar.File($"f{number}", Encoding.ASCII.GetBytes(new string((char)('a' + (number % 26)), 200_000)));
        await _registry.PushUnreadAsync("v1", LookRegistry.Repository, [tar.End().ToArray()]);
        await _registry.ReadAllAsync();

        Assert.Equal("first", await TextAsync("first"));
        Assert.Equal(200_000, (await ReadAsync("f39"))!.Content.Length);
    }

    [Fact]
    public async Task ReadLayer_IsWhatThatLayerHas_WhateverTheImageShows()
    {
        var lower = new TarBytes().File("etc/a", "old").SymbolicLink("to", "etc/a").SymbolicLink("out", "etc/b").End();
        await _registry.PushAsync("v1", lower, new TarBytes().File("etc/a", "new").File("etc/b", "b").End());
        var (texts, files, layer) = (_registry.Registry.Get<FileTexts>(), _registry.Files, Digest.Of(LookRegistry.Gzip(lower)));
        async Task<FileText?> OfLayerAsync(string path) => (await texts.ReadLayerAsync(LookRegistry.Name, layer, LookRegistry.Path(path), default))!.Value;

        Assert.Equal("new", await TextAsync("etc/a"));
        Assert.Equal("old", (await OfLayerAsync("etc/a"))!.Text);
        Assert.Equal("old", (await OfLayerAsync("to"))!.Text);
        Assert.Null(await OfLayerAsync("out"));
        Assert.Equal("etc/b", (await files.FindInLayerAsync(LookRegistry.Name, layer, LookRegistry.Path("out"), default))!.Value!.Target);
        Assert.Null((await files.FindInLayerAsync(LookRegistry.Name, layer, LookRegistry.Path("etc/b"), default))!.Value);

        // A layer of another repository is none.
        Assert.Null(await texts.ReadLayerAsync(RepositoryName.Parse("team/other"), layer, LookRegistry.Path("etc/a"), default));
        Assert.Null(await files.FindInLayerAsync(RepositoryName.Parse("team/other"), layer, LookRegistry.Path("etc/a"), default));
    }

    private async Task<FileText?> ReadAsync(string path) =>
        (await _registry.Registry.Get<FileTexts>().ReadAsync(LookRegistry.Name, LookRegistry.Reference("v1"), LookRegistry.Path(path), default))!.Value;

    private async Task<string> TextAsync(string path) => (await ReadAsync(path))!.Text;

    private async Task<(TextKind?, string)> JudgeAsync(string path) => await ReadAsync(path) is { } read ? (read.Kind, read.Text) : (null, "");
}
