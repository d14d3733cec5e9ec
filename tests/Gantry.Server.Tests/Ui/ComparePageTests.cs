using System.Text.Json.Nodes;
using Gantry.Oci;
using Gantry.TestKit.Tar;

namespace Gantry.Server.Tests.Ui;

[Collection(typeof(PageCollection))]
public sealed class ComparePageTests(PageServer server)
{
    [Fact]
    public async Task Compare_ShowsConfigPackagesAndFiles()
    {
        var same = new TarBytes().File("etc/same", "same").End();
        await PushAsync("acme/changed", "1", """{"config":{"Env":["A=1","GONE=x"],"Labels":{"<b>":"<i>"}}}""", same,
            new TarBytes().File("etc/conf", "one").File("etc/old", "old").File("bin/tool", "t").File("var/lib/dpkg/status", ImagePushes.Dpkg(("bash", "5.1"), ("left", "1"))).End());
        await PushAsync("acme/changed", "2", """{"config":{"Env":["A=2"],"Cmd":["run"]}}""", same,
            new TarBytes().File("etc/conf", "two").File("etc/<new>", "new").File("bin/tool", "t", header => header.Mode(0b111_101_101))
                .File("var/lib/dpkg/status", ImagePushes.Dpkg(("bash", "5.2"), ("came", "1"))).End());
        using var browser = await server.OpenAsync("reader");
        var page = await OpenAsync(browser, "/compare/acme/changed?from=1&to=2");
        Assert.Contains("the lowest 1 in common", page.Text, StringComparison.Ordinal);
        foreach (var row in new[] { "env/A 1 2", "env/GONE x not set", "cmd not set [\"run\"]", "changed bash dpkg amd64 5.1 5.2", "removed left dpkg amd64 1", "added came dpkg amd64 1" })
            Assert.Contains(row, page.Text, StringComparison.Ordinal);
        Assert.Contains("changed bin/tool 1 B 1 B -rw-r--r-- → -rwxr-xr-x", page.Text, StringComparison.Ordinal);
        Assert.Contains("changed etc/conf 3 B 3 B content", page.Text, StringComparison.Ordinal);
        Assert.Contains("removed etc/old 3 B –", page.Text, StringComparison.Ordinal);
        Assert.Contains("added etc/<new> – 3 B", page.Text, StringComparison.Ordinal);
        Assert.Contains("href=\"file/acme/changed:1?path=etc%2Fold\"", page.Main, StringComparison.Ordinal);
        Assert.DoesNotContain("etc/same", page.Text, StringComparison.Ordinal);

        var none = await OpenAsync(browser, "/compare/acme/changed?from=1&to=1");
        foreach (var text in new[] { "the same", "Both are run in the same way.", "The same packages", "No file differs." }) Assert.Contains(text, none.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_OfImagesWithAnotherHealthCheckAlone_SaysSo()
    {
        var layer = new TarBytes().File("a").End();
        await PushAsync("acme/checked", "1", """{"config":{"Cmd":["run"]}}""", layer);
        await PushAsync("acme/checked", "2", """{"config":{"Cmd":["run"],"Healthcheck":{"Test":["CMD","probe"],"Interval":30},"StopTimeout":7,"ArgsEscaped":true}}""", layer);
        await PushAsync("acme/checked", "3", """{"config":{"Cmd":["run"],"Healthcheck":{"Test":["CMD","probe"],"Interval":31},"StopTimeout":7,"ArgsEscaped":true}}""", layer);
        using var browser = await server.OpenAsync("reader");
        var page = await OpenAsync(browser, "/compare/acme/checked?from=2&to=3");
        Assert.Contains("""healthcheck {"Test":["CMD","probe"],"Interval":30} {"Test":["CMD","probe"],"Interval":31}""", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("run in the same way", page.Text, StringComparison.Ordinal);
        Assert.Contains("stop-timeout not set 7", (await OpenAsync(browser, "/compare/acme/checked?from=1&to=2")).Text, StringComparison.Ordinal);
        var image = await OpenAsync(browser, "/images/acme/checked:2");
        foreach (var text in new[] { """Health check {"Test":["CMD","probe"],"Interval":30}""", "7 seconds", "ArgsEscaped true" }) Assert.Contains(text, image.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_OfManyFiles_GoesByPages()
    {
        var tar = new TarBytes();
        for (var number = 0; number < 450; number++) tar.File($"f{number:000}");
        await PushAsync("acme/manyfiles", "1", "{}", new TarBytes().File("a").End());
        await PushAsync("acme/manyfiles", "2", "{}", tar.End());
        using var browser = await server.OpenAsync("reader");
        var first = await OpenAsync(browser, "/compare/acme/manyfiles?from=1&to=2");
        Assert.Contains("href=\"compare/acme/manyfiles?from=1&amp;to=2&amp;show=files\"", first.Main, StringComparison.Ordinal);
        var all = await OpenAsync(browser, "/compare/acme/manyfiles?from=1&to=2&show=files");
        Assert.Contains("file=f148\" rel=\"next\"", all.Main, StringComparison.Ordinal);
        var last = await OpenAsync(browser, "/compare/acme/manyfiles?from=1&to=2&show=files&file=f398");
        Assert.Contains("f399", last.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("f398 ", last.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("rel=\"next\"", last.Main, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_OfIndexes_PicksAPlatformThatBothHave()
    {
        using var client = server.Registry.Client();
        foreach (var (tag, content) in new[] { ("one", "1"), ("two", "22") })
        {
            var images = new List<(string, Digest)>();
            foreach (var architecture in new[] { "arm64", "amd64" })
            {
                var digest = await client.PushLayersAsync("acme/both", null, new JsonObject { ["architecture"] = architecture }, new TarBytes().File($"on-{architecture}", content).End());
                await server.Registry.ReadLayersAsync("acme/both", digest);
                images.Add((architecture, digest));
            }

            await client.PushIndexAsync("acme/both", tag, [.. images]);
        }

        using var browser = await server.OpenAsync("reader");
        Assert.Contains("changed on-amd64 1 B 2 B content", (await OpenAsync(browser, "/compare/acme/both?from=one&to=two")).Text, StringComparison.Ordinal);
        var arm = await OpenAsync(browser, "/compare/acme/both?from=one&to=two&platform=linux%2Farm64");
        Assert.Contains("changed on-arm64 1 B 2 B content", arm.Text, StringComparison.Ordinal);
        Assert.Contains("<option value=\"linux/arm64\" selected", arm.Main, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_WithNothingNamed_Teaches_AndSaysWhatIsMissing()
    {
        await PushAsync("acme/moved", "tip", "{}", new TarBytes().File("a").End());
        await PushAsync("acme/moved", "tip", "{}", new TarBytes().File("b").End());
        using var browser = await server.OpenAsync("reader");
        Assert.Contains("Compare two images.", (await OpenAsync(browser, "/compare/acme/moved")).Text, StringComparison.Ordinal);
        Assert.Contains("What tip was before:", (await OpenAsync(browser, "/compare/acme/moved?to=tip")).Text, StringComparison.Ordinal);
        var missing = (await browser.GetAsync("/compare/acme/moved?from=tip&to=none")).Is(404);
        EveryPageTests.Check(missing);
        Assert.Contains("This repository has nothing by that name.", missing.Text, StringComparison.Ordinal);
        var wrong = (await browser.GetAsync($"/compare/acme/moved?from={Uri.EscapeDataString(ImagePushes.Hostile)}&to=tip")).Is(404);
        Assert.Contains("neither a tag nor a digest", wrong.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", wrong.Html, StringComparison.Ordinal);

        // Another repository's image is no answer, nor is the repository to a stranger.
        (await browser.GetAsync("/compare/acme/none?from=v1&to=v2")).Is(404);
        using var stan = await server.OpenAsync("stan");
        (await stan.GetAsync("/compare/acme/app?from=v1&to=v2")).Is(404);
    }

    private async Task PushAsync(string repository, string tag, string config, params TarBytes[] layers)
    {
        using var client = server.Registry.Client();
        await client.PushLayersAsync(repository, tag, JsonNode.Parse(config)!.AsObject(), layers);
        await server.Registry.ReadLayersAsync(repository, TagName.Parse(tag));
    }

    private static async Task<PageAnswer> OpenAsync(PageBrowser browser, string path)
    {
        var page = (await browser.GetAsync(path)).Is(200);
        EveryPageTests.Check(page);
        return page;
    }
}
