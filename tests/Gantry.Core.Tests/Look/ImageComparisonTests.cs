using System.Text;
using Gantry.Core.Browse;
using Gantry.Core.Look;
using Gantry.Core.Look.Comparing;
using Gantry.Core.Look.Trees;
using Gantry.Engine.Tests.Unpack;
using Gantry.Oci;
using Gantry.TestKit.Tar;

namespace Gantry.Core.Tests.Look;

[Trait("Speed", "Slow")]
public sealed class ImageComparisonTests : IAsyncLifetime
{
    private const int Pairs = 60;

    private LookRegistry _registry = null!;

    private ImageComparison Comparison => _registry.Registry.Get<ImageComparison>();

    public async ValueTask InitializeAsync() => _registry = await LookRegistry.CreateAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task Files_SayWhatWasAddedRemovedAndChanged()
    {
        await _registry.PushAsync("v1", new TarBytes().Directory("d").File("d/same", "same").File("d/text", "one").File("d/mode", "m").File("d/gone", "g").File("kind", "k").SymbolicLink("link", "a").End());
        await _registry.PushAsync("v2", new TarBytes().Directory("d").File("d/same", "same", header => header.Modified(9)).File("d/text", "two").File("d/mode", "m", header => header.Mode(448).Uid(5))
            .File("d/new/x", "n").Directory("kind").SymbolicLink("link", "b").End());

        Assert.Equal(
            ["d/gone - removed", "d/mode Mode, Owner", "d/new - added", "d/new/x - added", "d/same Modified", "d/text Content", "kind Kind, Mode", "link Target"],
            await CompareAsync("v1", "v2", 3));
        Assert.DoesNotContain("d/same Modified", await CompareAsync("v1", "v2", 3, FileAspects.Modified));
    }

    /// <summary>Random images, with layers in common and without, page sizes from one up: the differences are those of the two trees.</summary>
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public async Task RandomImages_DifferAsTheirTreesDo(int seed)
    {
        var (layers, random) = (new RandomLayers(seed), new Random(seed));
        for (var pair = 0; pair < Pairs; pair++)
        {
            var (left, right) = (layers.Chain(), layers.Chain());
            if (random.Next(3) > 0) right = [.. left.Take(random.Next(left.Length + 1)), .. right];
            await _registry.PushAsync($"a{pair}", left);
            await _registry.PushAsync($"b{pair}", right);
            var looked = await Comparison.CompareFilesAsync(Image($"a{pair}"), Image($"b{pair}"), null, 1, FileAspects.None, default);
            if (looked!.State == LookState.Failed) continue;

            var expected = await ExpectedAsync($"a{pair}", $"b{pair}");
            var actual = await CompareAsync($"a{pair}", $"b{pair}", random.Next(1, 6));
            Assert.True(expected.SequenceEqual(actual), $"seed {seed}, pair {pair}\n--- expected\n{string.Join('\n', expected)}\n--- actual\n{string.Join('\n', actual)}");
        }
    }

    /// <summary>Where two images share layers, these are read only where the others have something.</summary>
    [Fact]
    public async Task SharedLayers_AreNotReadWhereNothingElseIs()
    {
        var large = new TarBytes();
        for (var number = 0; number < 9000; number++) large.File($"usr/{number % 40:d2}/{number:d5}", $"{number}");
        TarBytes shared = large.File("var/x", "x").End(), other = new TarBytes().File("etc/a", "1").End();
        await _registry.PushAsync("v1", shared, other);
        await _registry.PushAsync("v2", shared, new TarBytes().File("etc/a", "2").File("var/x", "y").End());
        await _registry.PushAsync("v3", shared, other);

        Assert.Equal((0, 0), await ReadsAsync("v1", "v1"));
        Assert.Equal(["etc/a Content", "var/x Content"], await CompareAsync("v1", "v2", 10));
        var pages = await _registry.Registry.ScalarAsync<long>("SELECT max(n) FROM (SELECT count(*) n FROM layer_pages GROUP BY digest) p");
        Assert.True(pages > 3, $"{pages} pages");

        // Its root's page, and that of var, which are one or two, and a page of each small layer.
        var (before, after) = await ReadsAsync("v1", "v2");
        Assert.InRange(before, 1, 3);
        Assert.InRange(after, 1, 3);
    }

    /// <summary>Directories count as what is in them does; one at which a page ends is gone into by the next.</summary>
    [Fact]
    public async Task EqualDirectoriesOfOtherLayers_AreWalkedInPieces()
    {
        var (left, right) = (new TarBytes(), new TarBytes());
        for (var number = 0; number < 10; number++)
        {
            foreach (var tar in (TarBytes[])[left, right]) tar.Directory($"d{number}").Directory($"d{number}/sub");
        }

        await _registry.PushAsync("v1", left.File("z", "1").End());
        await _registry.PushAsync("v2", right.File("d2/sub/x", "x").File("z", "2").End());
        var images = _registry.Registry.Get<LookedImages>();
        var (before, after) = (await OpenAsync("v1"), await OpenAsync("v2"));
        var (found, pieces, next) = (new List<string>(), 0, (ImagePath?)null);
        do
        {
            var comparison = new TreeComparison(TreeOf(before), TreeOf(after), 0) { MaxSteps = 4 };
            found.AddRange((await comparison.RunAsync(next, 1000, FileAspects.None, default)).Select(pair => $"{pair.After!.Path}"));
            (next, pieces) = (comparison.Next, pieces + 1);
        }
        while (next is not null);

        // 22 names, of which five end a piece.
        Assert.Equal(["d2/sub/x", "z"], found);
        Assert.Equal(5, pieces);

        async Task<LookedImage> OpenAsync(string tag) => (await images.OpenAsync(LookRegistry.Name, LookRegistry.Reference(tag), default))!;
        ComparedTree TreeOf(LookedImage image) => new(new MergedTree(images.Pages(image), 1, withHidden: false));
    }

    [Fact]
    public async Task Compare_SaysWhatConfigsAndPackagesDifferIn()
    {
        const string Old = """{"os":"linux","architecture":"amd64","config":{"User":"app","Env":["PATH=/bin","A=1","odd"],"Cmd":["sh", "-c"],"Labels":{"v":"1"},"ExposedPorts":{"80/tcp":{}}}}""";
        const string New = """{"os":"linux","architecture":"amd64","config":{"Env":["PATH=/bin","A=2"],"Cmd":["sh","-c"],"Labels":{"v":"1","w":"2"},"WorkingDir":"/srv"}}""";
        var shared = LookRegistry.Gzip(new TarBytes().File("var/lib/dpkg/status", Dpkg("bash 5", "gone 1")).File("var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 1\n").End());
        await _registry.PushUnreadAsync("v1", LookRegistry.Repository, [shared], Old);
        await _registry.PushUnreadAsync("v2", LookRegistry.Repository,
            [shared, LookRegistry.Gzip(new TarBytes().File("var/lib/dpkg/status", Dpkg("bash 6", "vim 9")).File("var/lib/dpkg/status.d/.wh.tzdata").End())], New);

        var early = await Comparison.CompareAsync(Image("v1"), Image("v2"), default);
        Assert.Equal(LookState.Waiting, early!.State);
        Assert.Null(early.Value!.Packages);
        Assert.Equal(1, early.Value.SharedLayers);
        Assert.Equal(["env/A 1 2", "label/w  2", "port/80/tcp  ", "user app ", "workdir  /srv"], early.Value.Settings.Select(setting => $"{setting.Name} {setting.Before} {setting.After}"));

        await _registry.ReadAllAsync();
        var late = await Comparison.CompareAsync(Image("v1"), Image("v2"), default);
        Assert.Equal(["bash 5 6", "gone 1 ", "tzdata 1 ", "vim  9"],
            late!.Value!.Packages!.Select(package => $"{package.Name} {string.Join(',', package.Before)} {string.Join(',', package.After)}"));
        Assert.Empty(late.Value.PackageFaults!);
        var listed = await _registry.Registry.Get<ImagePackages>().ListAsync(Image("v2"), default);
        Assert.Equal(["bash", "vim"], listed!.Value!.Packages.Select(package => package.Name));
    }

    [Theory]
    [InlineData("""{"config":{"Healthcheck":{"Test":["CMD-SHELL","curl  \"x\""],"Interval":30}}}""", """healthcheck={"Test":["CMD-SHELL","curl  \"x\""],"Interval":30}""")]
    [InlineData("""{"config":{"Healthcheck": { "Test" : [ "NONE" ] } } }""", """healthcheck={"Test":["NONE"]}""")]
    [InlineData("""{"config":{"Shell":["/bin/bash","-c"]}}""", """shell=["/bin/bash","-c"]""")]
    [InlineData("""{"config":{"OnBuild":["RUN x"]}}""", """on-build=["RUN x"]""")]
    [InlineData("""{"config":{"StopTimeout":30}}""", "stop-timeout=30")]
    [InlineData("""{"os.version":"10.0.1","os.features":["win32k"]}""", """os-version=10.0.1,os-features=["win32k"]""")]
    [InlineData("""{"config":{"ArgsEscaped":true,"MacAddress":"","Tty":false,"Domainname":null,"A \"\\":[1, "b c"]}}""", """config/ArgsEscaped=true,config/A "\=[1,"b c"]""")]
    public void Settings_OfEveryKind_AreHeldAgainstEachOther(string config, string expected) => Assert.Equal(expected,
        string.Join(',', ImageSettings.Of(ImageConfigReader.Read(Encoding.UTF8.GetBytes(config))).Select(setting => $"{setting.Key}={setting.Value}")));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"config":{"Env":"no list","Labels":[],"User":3,"Cmd":{}}}""")]
    [InlineData("""{"config":{"Labels":{"\ud800":"x"}}}""")]
    [InlineData("""{"config":{"Healthcheck":["x"],"Shell":"sh","OnBuild":{},"StopTimeout":"30","\ud800":1}}""")]
    [InlineData("""{"config":{"StopTimeout":1e99},"os.features":"x"}""")]
    public void Settings_OfAnotherShape_AreNone(string config) =>
        Assert.Empty(ImageSettings.Of(ImageConfigReader.Read(Encoding.UTF8.GetBytes(config))));

    private static ImageName Image(string tag) => new(LookRegistry.Name, LookRegistry.Reference(tag));

    private static string Dpkg(params string[] packages) => string.Concat(packages.Select(package =>
        $"Package: {package.Split(' ')[0]}\nStatus: install ok installed\nVersion: {package.Split(' ')[1]}\n\n"));

    private async Task<List<string>> CompareAsync(string before, string after, int page, FileAspects ignored = FileAspects.None)
    {
        var found = new List<string>();
        ImagePath? next = null;
        do
        {
            var compared = await Comparison.CompareFilesAsync(Image(before), Image(after), next, page, ignored, default);
            Assert.True(compared!.Value!.Changes.Count <= page);
            found.AddRange(compared.Value.Changes.Select(change =>
                $"{change.Path} {(change.Before is null ? "- added" : change.After is null ? "- removed" : $"{change.Aspects}")}"));
            next = compared.Value.Next;
        }
        while (next is not null);
        return found;
    }

    private async Task<(int Before, int After)> ReadsAsync(string before, string after)
    {
        var images = _registry.Registry.Get<LookedImages>();
        var (left, right) = (await images.OpenAsync(LookRegistry.Name, LookRegistry.Reference(before), default), await images.OpenAsync(LookRegistry.Name, LookRegistry.Reference(after), default));
        var (_, leftPages, rightPages) = await Comparison.WalkAsync(left!, right!, null, 1000, FileAspects.None, default);
        return (leftPages.Reads, rightPages.Reads);
    }

    private async Task<List<string>> ExpectedAsync(string before, string after)
    {
        var (had, has) = (await FilesAsync(before), await FilesAsync(after));
        var expected = new List<(string Path, string Line)>();
        foreach (var path in had.Keys.Union(has.Keys))
        {
            if (!had.TryGetValue(path, out var left)) expected.Add((path, $"{path} - added"));
            else if (!has.TryGetValue(path, out var right)) expected.Add((path, $"{path} - removed"));
            else if (Aspects(left, right) is var aspects and not FileAspects.None) expected.Add((path, $"{path} {aspects}"));
        }

        return [.. expected.OrderBy(change => change.Path.Replace('/', '\0'), StringComparer.Ordinal).Select(change => change.Line)];
    }

    private async Task<Dictionary<string, (ImageFile File, string? Text)>> FilesAsync(string tag)
    {
        var files = new Dictionary<string, (ImageFile, string?)>();
        var root = (await _registry.Files.FindAsync(LookRegistry.Name, LookRegistry.Reference(tag), default, default))!.Value!;
        foreach (var file in (await _registry.TreeAsync(tag)).Prepend(root))
        {
            var text = file.Kind != EntryKind.File ? null
                : (await _registry.Registry.Get<FileTexts>().ReadAsync(LookRegistry.Name, LookRegistry.Reference(tag), file.Path, default))!.Value!.Text;
            files.Add(file.Path.ToString(), (file, text));
        }

        return files;
    }

    private static FileAspects Aspects((ImageFile File, string? Text) left, (ImageFile File, string? Text) right)
    {
        var aspects = FileAspects.None;
        if (left.File.Kind != right.File.Kind) aspects |= FileAspects.Kind;
        if (left.File.Mode != right.File.Mode && left.File.Kind != EntryKind.SymbolicLink) aspects |= FileAspects.Mode;
        if ((left.File.Uid, left.File.Gid) != (right.File.Uid, right.File.Gid)) aspects |= FileAspects.Owner;
        if (left.File.Modified != right.File.Modified) aspects |= FileAspects.Modified;
        if (left.File.Kind != right.File.Kind) return aspects;
        if (left.File.Target != right.File.Target || (left.File.Kind == EntryKind.HardLink && left.File.HardLink != right.File.HardLink)) aspects |= FileAspects.Target;
        return left.Text == right.Text ? aspects : aspects | FileAspects.Content;
    }
}
