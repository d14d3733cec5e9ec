using Gantry.Core.Look;
using Gantry.Oci;
using Gantry.TestKit.Tar;

namespace Gantry.Core.Tests.Look;

[Trait("Speed", "Slow")]
public sealed class ImageFilesTests : IAsyncLifetime
{
    private LookRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await LookRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task List_SaysWhoPutAFileThere_AndWhatItHides()
    {
        await _registry.PushAsync("v1",
            new TarBytes().Directory("etc").File("etc/a", "one").File("etc/b", "first").File("etc/dir/x", "x").End(),
            new TarBytes().File("etc/a", "twenty").File("etc/.wh.b").End(),
            new TarBytes().File("etc/a", "three").File("etc/dir", "no directory any more").End());

        Assert.Equal(["etc/a 2 5 [1:6 0:3]", "etc/dir 2 21 [0:]"], await ShowAsync("etc"));
        Assert.Equal(["etc/a 2 5 [1:6 0:3]", "etc/b 0 5 [] removed by 1", "etc/dir 2 21 [0:]"], await ShowAsync("etc", withRemoved: true));
        var hidden = (await _registry.ListAsync("v1", "etc"))[0].Hidden;
        Assert.Equal([2, 2], hidden.Select(file => file.By));
    }

    [Fact]
    public async Task List_OfAnOpaqueDirectory_ShowsWhatItHides_IfAsked()
    {
        await _registry.PushAsync("v1",
            new TarBytes().Directory("d", header => header.Uid(7)).File("d/low", "low").File("d/sub/deep", "deep").End(),
            new TarBytes().File("d/.wh..wh..opq").File("d/new", "new").End());

        Assert.Equal(["d/new 1 3 []"], await ShowAsync("d"));
        Assert.Equal(["d/low 0 3 [] removed by 1", "d/new 1 3 []", "d/sub 0  [] removed by 1"], await ShowAsync("d", withRemoved: true));
        Assert.Equal(["d/sub/deep 0 4 [] removed by 1"], await ShowAsync("d/sub", withRemoved: true));
        await Assert.ThrowsAsync<DirectoryNotFoundException>(() => ShowAsync("d/sub"));

        // Without an entry of its own it is still the directory that was there.
        Assert.Equal(7u, Assert.Single(await _registry.ListAsync("v1", "")).Uid);
    }

    /// <summary>Who removed a thing is the layer that did it, whatever became of its directory later; and a directory is shown as it was.</summary>
    [Fact]
    public async Task List_OfWhatWasRemovedTwice_NamesTheFirst()
    {
        await _registry.PushAsync("v1",
            new TarBytes().Directory("d", header => header.Uid(7)).File("d/x", "low").File("e/x", "low").Directory("f", header => header.Uid(7)).File("f/x", "low").File("g/x", "low").End(),
            new TarBytes().File("d/.wh.x").File("d/y", "y").File("e/.wh.x").File(".wh.f").File("g/.wh..wh..opq").File("g/y", "y").End(),
            new TarBytes().File(".wh.d").File("e/.wh..wh..opq").File("f/y", "y").File(".wh.g").End(),
            new TarBytes().File(".wh.f").End());

        Assert.Equal(["d 0  [1:] removed by 2", "e 2  [1: 0:]", "f 2  [0:] removed by 3", "g 1  [0:] removed by 2"], await ShowAsync("", withRemoved: true));
        Assert.Equal([7u, 0u, 0u, 0u], (await _registry.ListAsync("v1", "", withRemoved: true)).Select(file => file.Uid));
        Assert.Equal(["d/x 0 3 [] removed by 1", "d/y 1 1 [] removed by 2"], await ShowAsync("d", withRemoved: true));
        Assert.Equal(["e/x 0 3 [] removed by 1"], await ShowAsync("e", withRemoved: true));
        Assert.Equal(["f/x 0 3 [] removed by 1", "f/y 2 1 [] removed by 3"], await ShowAsync("f", withRemoved: true));
        Assert.Equal(["g/x 0 3 [] removed by 1", "g/y 1 1 [] removed by 2"], await ShowAsync("g", withRemoved: true));
    }

    [Fact]
    public async Task List_OfALayerAlone_ShowsItsWhiteouts()
    {
        var layer = LookRegistry.Gzip(new TarBytes().File("d/.wh..wh..opq").File("d/.wh.gone").File(".wh.top").File("lib/x", "1").HardLink("lib/y", "lib/x").HardLink("z", "below").End());
        await _registry.PushUnreadAsync("v1", LookRegistry.Repository, [layer]);
        await _registry.ReadAllAsync();

        var root = await _registry.Files.ListLayerAsync(LookRegistry.Name, Digest.Of(layer), default, null, 100, default);
        Assert.Equal(["d Directory opaque", "lib Directory", "top Removal", "z HardLink -> below"], root!.Value!.Files.Select(Line));
        Assert.Equal(["d/gone Removal"], (await _registry.Files.ListLayerAsync(LookRegistry.Name, Digest.Of(layer), LookRegistry.Path("d"), null, 100, default))!.Value!.Files.Select(Line));
        var first = await _registry.Files.ListLayerAsync(LookRegistry.Name, Digest.Of(layer), LookRegistry.Path("lib"), null, 1, default);
        Assert.Equal(["lib/x File"], first!.Value!.Files.Select(Line));
        var second = await _registry.Files.ListLayerAsync(LookRegistry.Name, Digest.Of(layer), LookRegistry.Path("lib"), first.Value.Next, 1, default);
        Assert.Equal(["lib/y File -> lib/x"], second!.Value!.Files.Select(Line));
        Assert.Null(second.Value.Next);
        Assert.Null((await _registry.Files.ListLayerAsync(LookRegistry.Name, Digest.Of(layer), LookRegistry.Path("nowhere"), null, 1, default))!.Value);

        static string Line(ImageFile file) => $"{file.Path} {file.Kind}{(file.IsOpaque ? " opaque" : "")}{(file.HardLink is null ? "" : $" -> {file.HardLink}")}";
    }

    /// <summary>Who knows a digest and no more learns nothing, and puts nothing into the queue.</summary>
    [Fact]
    public async Task List_ByAnotherRepository_IsUnknown()
    {
        var layer = LookRegistry.Gzip(new TarBytes().File("secret", "s").End());
        var image = await _registry.PushUnreadAsync("v1", LookRegistry.Repository, [layer]);
        await _registry.Registry.PushBlobAsync("else/where", "theirs");
        foreach (var name in new[] { "else/where", "no/where" })
        {
            Assert.Null(await _registry.Files.ListLayerAsync(RepositoryName.Parse(name), Digest.Of(layer), default, null, 1, default));
            Assert.Null(await _registry.Files.ListAsync(RepositoryName.Parse(name), image, default, null, 1, false, default));
            Assert.Null(await _registry.Registry.Get<FileTexts>().ReadAsync(RepositoryName.Parse(name), image, LookRegistry.Path("secret"), default));
            Assert.Null(await _registry.Registry.Get<ImageComparison>().CompareFilesAsync(
                new(RepositoryName.Parse(name), image), new(LookRegistry.Name, image), null, 1, FileAspects.None, default));
        }

        Assert.Equal(0L, await _registry.Registry.ScalarAsync<long>("SELECT count(*) FROM layer_listings"));

        // Nor does a link that is hidden lead there.
        await _registry.ReadAllAsync();
        await _registry.Registry.ScalarAsync<object>("UPDATE blob_links SET deleted_at = now() WHERE digest = $1", Digest.Of(layer).ToString());
        Assert.Null(await _registry.Files.ListLayerAsync(LookRegistry.Name, Digest.Of(layer), default, null, 1, default));
        Assert.Null((await _registry.Files.ListAsync(LookRegistry.Name, image, default, null, 1, false, default))!.Value);
    }

    /// <summary>A link that is two thousand directories deep is followed; a directory of hundreds of them is refused before it takes minutes.</summary>
    [Fact]
    public async Task List_OfDeepHardLinks_FollowsSome_AndRefusesTooMany()
    {
        var deep = $"{string.Concat(Enumerable.Repeat("x/", 1990))}f";
        var links = new TarBytes().Pax(("linkpath", deep)).HardLink("few/1", "f");
        for (var number = 0; number < 1000; number++) links.Pax(("linkpath", deep)).HardLink($"many/{number:d4}", "f");
        await _registry.PushAsync("v1", new TarBytes().Pax(("path", deep)).File("f", "deep").End(), links.End());

        Assert.Equal(4, Assert.Single(await _registry.ListAsync("v1", "few")).Size);
        var refused = await Assert.ThrowsAsync<OciException>(() => _registry.ListAsync("v1", "many"));
        Assert.Equal(422, refused.Status);
    }

    [Fact]
    public async Task List_OfAnIndex_SaysWhyNot()
    {
        var image = await _registry.PushAsync("v1", new TarBytes().File("a", "a").End());
        await _registry.Registry.PushIndexAsync(LookRegistry.Repository, "index", image);
        var looked = await _registry.Files.ListAsync(LookRegistry.Name, LookRegistry.Reference("index"), default, null, 1, false, default);
        Assert.Contains("index", looked!.WhyNot);
        Assert.Null(await _registry.Files.ListAsync(LookRegistry.Name, LookRegistry.Reference("none"), default, null, 1, false, default));
    }

    /// <summary>Of a layer of many pages few are read, and names of 255 bytes in a path of 4,000 are found in pages whose stored keys are the same.</summary>
    [Fact]
    public async Task List_InALargeLayer_FindsEveryName()
    {
        var deep = string.Join('/', Enumerable.Repeat(new string('d', 250), 14));
        var tar = new TarBytes();
        for (var number = 0; number < 3000; number++) tar.File($"many/{number % 30:d2}/file-{number:d5}", "");
        for (var number = 0; number < 1500; number++) tar.Pax(("path", $"{deep}/{number:d4}{new string((char)('a' + (number % 26)), 200)}")).File("x", $"{number}");
        await _registry.PushAsync("v1", tar.File("z/last", "last").End());
        Assert.True(await _registry.Registry.ScalarAsync<long>("SELECT count(*) FROM layer_pages") > 4);

        Assert.Equal(100, (await _registry.ListAsync("v1", "many/07", page: 7)).Count);
        Assert.Equal("z/last", Assert.Single(await _registry.ListAsync("v1", "z")).Path.ToString());
        var names = await _registry.ListAsync("v1", deep, page: 400);
        Assert.Equal(1500, names.Count);
        Assert.Equal(Enumerable.Range(0, 1500), names.Select(file => int.Parse(file.Path.ToString()[(deep.Length + 1)..][..4])));
        foreach (var number in new[] { 0, 1, 700, 1499 })
        {
            var found = await _registry.Files.FindAsync(LookRegistry.Name, LookRegistry.Reference("v1"), names[number].Path, default);
            Assert.Equal(names[number].Size, found!.Value!.Size);
        }
    }

    private async Task<IEnumerable<string>> ShowAsync(string directory, bool withRemoved = false) =>
        (await _registry.ListAsync("v1", directory, page: 1, withRemoved)).Select(file =>
            $"{file.Path} {file.Layer} {file.Size} [{string.Join(' ', file.Hidden.Select(hidden => $"{hidden.Layer}:{hidden.Size}"))}]"
            + (file.RemovedBy is { } by ? $" removed by {by}" : ""));
}
