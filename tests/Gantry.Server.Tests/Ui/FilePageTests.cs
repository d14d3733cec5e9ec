using System.Net;
using System.Text.RegularExpressions;
using Gantry.Oci;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Server.Tests.Ui;

[Collection(typeof(PageCollection))]
public sealed class FilePageTests(PageServer server)
{
    private static readonly TagName Tag = TagName.Parse("v1");

    [Fact]
    public async Task Files_OfAnImage_SayWhichLayerPutThem_AndWhatItHid()
    {
        await PushAsync("acme/tree",
            new TarBytes().Directory("etc/").File("etc/conf", "one").File("etc/motd", "hello").SymbolicLink("etc/link", "../usr/x").End(),
            new TarBytes().File("etc/conf", "two!", header => header.Mode(0b111_101_101).Uid(1000).Gid(2000)).File("etc/.wh.motd").End());
        using var browser = await server.OpenAsync("reader");
        var image = await OpenAsync(browser, "/files/acme/tree:v1?path=etc");
        Assert.Matches("conf -rwxr-xr-x 1000:2000 4 B .* 2 : the layer of conf hides 1 ", image.Text);
        Assert.Contains("link → ../usr/x l", image.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("motd", image.Text, StringComparison.Ordinal);

        // What was removed, on request; the layer alone says that it removed it.
        var removed = await OpenAsync(browser, "/files/acme/tree:v1?path=etc&removed=yes");
        Assert.Matches("motd .* 1 removed by 2 ", removed.Text);
        var layer = await OpenAsync(browser, "/files/acme/tree:v1?path=etc&layer=2");
        Assert.Matches("conf .* motd .*removed here ", layer.Text);
        Assert.DoesNotContain("href=\"file/acme/tree:v1?path=etc%2Fmotd", layer.Main, StringComparison.Ordinal);
        Assert.DoesNotContain("→", layer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_OfALargeDirectory_GoByPages()
    {
        var tar = new TarBytes();
        for (var number = 0; number < 450; number++) tar.File($"many/f{number:000}", "x");
        await PushAsync("acme/large", tar.End());
        using var browser = await server.OpenAsync("reader");
        var (names, path) = (new List<string>(), "/files/acme/large:v1?path=many");
        for (var pages = 0; path is not null; pages++)
        {
            Assert.InRange(pages, 0, 6);
            var page = await OpenAsync(browser, path);
            names.AddRange(Regex.Matches(page.Main, "\">(f[0-9]{3})</a>").Select(match => match.Groups[1].Value));
            var next = Regex.Match(page.Main, "href=\"([^\"]*)\" rel=\"next\"");
            path = next.Success ? "/" + WebUtility.HtmlDecode(next.Groups[1].Value) : null;
        }

        Assert.Equal(Enumerable.Range(0, 450).Select(number => $"f{number:000}"), names);
    }

    [Fact]
    public async Task Names_OfAnyBytes_AreText_AndLeadToTheirFiles()
    {
        byte[] raw = [(byte)'b', 0xFF, (byte)'\\', (byte)'<', 0x1B];
        await PushAsync("acme/bytes", new TarBytes().File(raw, "found").File("<script>alert(1)", "<script>alert(2)</script>\u001b[31m\u202e").SymbolicLink("to", "<b>\u202e").End());
        using var browser = await server.OpenAsync("reader");
        var page = await OpenAsync(browser, "/files/acme/bytes:v1");
        Assert.Contains(@"b\xff\\<\x1b", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", page.Html, StringComparison.Ordinal);
        var link = WebUtility.HtmlDecode(Regex.Match(page.Main, "href=\"(file/[^\"]*xff[^\"]*)\"").Groups[1].Value);
        Assert.Contains(">found<", (await OpenAsync(browser, "/" + link)).Main, StringComparison.Ordinal);

        var text = await OpenAsync(browser, $"/file/acme/bytes:v1?path={Uri.EscapeDataString("<script>alert(1)")}");
        Assert.Contains(@"&lt;script&gt;alert(2)&lt;/script&gt;\u{1b}[31m\u{202e}", text.Main, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_ShowsItsText_OrWhyNot_OfTheImageAndOfALayer()
    {
        await PushAsync("acme/text",
            new TarBytes().File("app/readme", "first\r\nsecond").File("app/bin", (byte[])[1, 2, 3, 0]).File("app/empty").File("app/big", new string('y', 600 * 1024)).Device('3', "null", 1, 3).End(),
            new TarBytes().File("app/readme", "newer").SymbolicLink("now", "app/readme").SymbolicLink("dir", "app").SymbolicLink("broken", "none").End());
        using var browser = await server.OpenAsync("reader");
        var newer = await OpenAsync(browser, "/file/acme/text:v1?path=app/readme");
        Assert.Contains("<code>newer</code>", newer.Main, StringComparison.Ordinal);
        Assert.Contains("href=\"file/acme/text:v1?path=app%2Freadme&amp;layer=1\"", newer.Main, StringComparison.Ordinal);
        Assert.Contains("<code>first\nsecond</code>", WebUtility.HtmlDecode((await OpenAsync(browser, "/file/acme/text:v1?path=app/readme&layer=1")).Main), StringComparison.Ordinal);

        foreach (var (path, said) in new[]
        {
            ("app/bin", "00000000 01 02 03 00"), ("app/empty", "The file is empty."), ("app/big", "The first 512 KiB of 600 KiB."), ("null", "character device 1, 3"),
            ("now", "Content of /app/readme"), ("dir", "leads to the directory /app"), ("broken", "This link leads nowhere."),
        })
            Assert.Contains(said, (await OpenAsync(browser, $"/file/acme/text:v1?path={path}")).Text, StringComparison.Ordinal);

        Assert.Equal("/files/acme/text:v1?path=app", (await browser.GetAsync("/file/acme/text:v1?path=app")).Is(303).Location);
        EveryPageTests.Check((await browser.GetAsync("/file/acme/text:v1?path=none")).Is(404));
        Assert.Contains("Layer 2 has nothing at this path.", (await browser.GetAsync("/file/acme/text:v1?path=null&layer=2")).Is(404).Text, StringComparison.Ordinal);
        Assert.Contains("The image has no such directory.", (await browser.GetAsync("/files/acme/text:v1?path=none")).Is(404).Text, StringComparison.Ordinal);
        foreach (var wrong in new[] { "path=..%2Fx", @"path=a\z", "layer=3", "layer=0", "layer=x" }) (await browser.GetAsync($"/files/acme/text:v1?{wrong}")).Is(404);
    }

    [Fact]
    public async Task Packages_AreListed_AndFiltered()
    {
        await PushAsync("acme/packages", new TarBytes().File("var/lib/dpkg/status", ImagePushes.Dpkg(("zlib1g", "1.2"), ("bash", "5.2-15"), ("<b>x", "1"))).End());
        using var browser = await server.OpenAsync("reader");
        var page = await OpenAsync(browser, "/packages/acme/packages:v1");
        Assert.Matches("bash 5.2-15 amd64 dpkg zlib1g 1.2 amd64 dpkg", page.Text);
        Assert.DoesNotContain("<b>", page.Main, StringComparison.Ordinal);
        var some = await OpenAsync(browser, "/packages/acme/packages:v1?filter=ZLIB");
        Assert.DoesNotContain("bash", some.Text, StringComparison.Ordinal);
        Assert.Contains("No package has “zz” in its name.", (await OpenAsync(browser, "/packages/acme/packages:v1?filter=zz")).Text, StringComparison.Ordinal);

        await PushAsync("acme/scratch", new TarBytes().File("app").End());
        Assert.Contains("no list of packages", (await OpenAsync(browser, "/packages/acme/scratch:v1")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Packages_OfMany_GoByPages()
    {
        await PushAsync("acme/desktop", new TarBytes().File("var/lib/dpkg/status", ImagePushes.Dpkg([.. Enumerable.Range(0, 1200).Select(number => ($"p{number:0000}", "1"))])).End());
        using var browser = await server.OpenAsync("reader");
        Assert.Contains("1,200 packages by dpkg", (await OpenAsync(browser, "/packages/acme/desktop:v1")).Text, StringComparison.Ordinal);
        var third = await OpenAsync(browser, "/packages/acme/desktop:v1?after=dpkg%2Fp0999");
        Assert.Contains("p1000", third.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("p0999", third.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("rel=\"next\"", third.Main, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Packages_OfOneName_GoByPagesToTheirEnd()
    {
        var status = ImagePushes.Dpkg([.. Enumerable.Range(0, 900).Select(number => ("kernel", $"6.{number:0000}")), ("last", "1"), ("zz/5", "2")]);
        await PushAsync("acme/kernels", new TarBytes().File("var/lib/dpkg/status", status).End());
        using var browser = await server.OpenAsync("reader");
        var versions = new List<string>();
        for (var path = "/packages/acme/kernels:v1"; path.Length > 0;)
        {
            var page = await OpenAsync(browser, path);
            var rows = Regex.Matches(page.Main, "<strong>[^<]*</strong></th><td class=\"wrap\"><code>([^<]*)</code>").Select(match => match.Groups[1].Value).ToList();
            Assert.InRange(rows.Count, 1, 200);
            versions.AddRange(rows);
            path = Regex.Match(page.Main, "href=\"([^\"]*)\" rel=\"next\"") is { Success: true } link ? $"/{WebUtility.HtmlDecode(link.Groups[1].Value)}" : "";
        }

        Assert.Equal([.. Enumerable.Range(0, 900).Select(number => $"6.{number:0000}"), "1", "2"], versions);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Layers_ThatAreNotRead_AreWaitedFor_AndFailedOnesSaySo()
    {
        // Nobody reads layers here but this test.
        await using var registry = await RegistryServer.StartAsync("Look:Enabled=false");
        using var client = registry.Client();
        await client.PushLayersAsync("library/app", "v1", null, new TarBytes().File("hello", "text").End());
        using var browser = new PageBrowser(registry.Address);
        await (await browser.GetAsync("/signin")).SubmitAsync("signin", ("name", "admin"), ("password", RegistryServer.Password));
        foreach (var path in new[] { "files/library/app:v1", "files/library/app:v1?layer=1", "file/library/app:v1?path=hello", "packages/library/app:v1", "compare/library/app?from=v1&to=v1" })
        {
            var early = await OpenAsync(browser, $"/{path}");
            Assert.Contains("0 of ", early.Text, StringComparison.Ordinal);
            Assert.Contains(" data-again", early.Main, StringComparison.Ordinal);
            Assert.Contains("<noscript><meta http-equiv=\"refresh\" content=\"3\"", early.Html, StringComparison.Ordinal);
        }

        await registry.ReadLayersAsync("library/app", Tag);
        var late = await OpenAsync(browser, "/files/library/app:v1");
        Assert.Contains(">hello</a>", late.Main, StringComparison.Ordinal);
        Assert.DoesNotContain("refresh", late.Html, StringComparison.Ordinal);

        await client.PushImageAsync("library/broken", "v1", "no archive"u8.ToArray());
        await registry.ReadLayersAsync("library/broken", Tag);
        var failed = await OpenAsync(browser, "/files/library/broken:v1");
        Assert.Contains("A layer of it cannot be read.", failed.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(" data-again", failed.Main, StringComparison.Ordinal);

    }

    private async Task PushAsync(string repository, params TarBytes[] layers)
    {
        using var client = server.Registry.Client();
        await client.PushLayersAsync(repository, "v1", null, layers);
        await server.Registry.ReadLayersAsync(repository, Tag);
    }

    private static async Task<PageAnswer> OpenAsync(PageBrowser browser, string path)
    {
        var page = (await browser.GetAsync(path)).Is(200);
        EveryPageTests.Check(page);
        return page;
    }
}
