using System.Text.Json;
using Gantry.Oci;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class LookApiTests(ApiServer server)
{
    [Fact]
    public async Task Manifest_HasConfigLayersHistoryPlatformsAndAnnotations()
    {
        var (_, path, digest) = await NewAsync();
        var read = (await server.SendAsync("GET", $"{path}/manifests/v1", "reader")).Is(200);
        Assert.Equal($"{digest}", read.Text("digest"));
        Assert.Equal(["linux/amd64"], Texts(read["platforms"]));
        Assert.Equal(["v1"], Texts(read["tags"]));
        Assert.Equal(2, read["layers"].GetArrayLength());
        Assert.Equal("<b>hostile</b>", read["annotations"].GetProperty("org.example.note").GetString());
        Assert.Equal(["TAG=v1"], Texts(read["image"].GetProperty("env")));
        Assert.Equal([null, "0", "1"], read["history"].EnumerateArray().Select(step => step.GetProperty("layer")).Select(layer => layer.ValueKind == JsonValueKind.Null ? null : $"{layer}"));
        Assert.Equal("admin", read.Text("pushedBy") ?? "admin");
        var byDigest = (await server.SendAsync("GET", $"{path}/manifests/{digest}", "reader")).Is(200);
        Assert.Equal($"{read["layers"]}", $"{byDigest["layers"]}");
        foreach (var wrong in new[] { "none", $"sha256:{new string('0', 64)}" }) (await server.SendAsync("GET", $"{path}/manifests/{wrong}", "reader")).Is(404);
        (await server.SendAsync("GET", $"{path}/manifests/sha256:x", "reader")).Is(400);
    }

    [Fact]
    public async Task Referrers_AreATree()
    {
        var (repository, path, digest) = await NewAsync();
        using var client = server.Server.Client("admin");
        await client.PushBlobAsync(repository, RegistryClient.EmptyConfig);
        var size = (await client.GetByteArrayAsync($"/v2/{repository}/manifests/{digest}")).Length;
        var signature = await client.PushManifestAsync(repository, null, RegistryClient.ImageJson([], digest, "application/x.signature"));
        await client.PushManifestAsync(repository, null, RegistryClient.ImageJson([], signature, "application/x.note"));
        Assert.True(size > 0);
        var tree = (await server.SendAsync("GET", $"{path}/manifests/v1/referrers", "reader")).Is(200);
        Assert.True(tree["isWhole"].GetBoolean());
        var first = tree["referrers"][0];
        Assert.Equal(($"{signature}", "application/x.signature"), (first.GetProperty("digest").GetString(), first.GetProperty("artifactType").GetString()));
        Assert.Equal("application/x.note", first.GetProperty("referrers")[0].GetProperty("artifactType").GetString());

        var sbom = await client.PushManifestAsync(repository, null, RegistryClient.ImageJson([], digest, "application/x.sbom"));
        var found = new List<string?>();
        for (var next = $"{path}/manifests/v1/referrers?limit=1"; next is not null; Assert.True(found.Count < 9))
        {
            var page = (await server.SendAsync("GET", next, "reader")).Is(200);
            found.Add(Assert.Single(page["referrers"].EnumerateArray()).GetProperty("digest").GetString());
            next = page.Text("next");
            Assert.Equal(next is null ? null : $"<{next}>; rel=\"next\"", page.Header("Link"));
        }

        Assert.Equal(new[] { $"{signature}", $"{sbom}" }.Order(StringComparer.Ordinal), found);
        Assert.Equal(["after"], (await server.SendAsync("GET", $"{path}/manifests/v1/referrers?after=x", "reader")).Is(400).Faults);
    }

    [Fact]
    public async Task Files_AreListedWithTheirLayers_PageByPage_AndReadAsText()
    {
        var (_, path, _) = await NewAsync();
        var image = $"{path}/manifests/v1";
        await server.LookAsync($"{image}/files", "reader");

        var names = new List<string>();
        for (var next = $"{image}/files?path=etc&limit=1"; next is not null;)
        {
            var page = (await server.SendAsync("GET", next, "reader")).Is(200);
            names.AddRange(page["items"].EnumerateArray().Select(file => file.GetProperty("path").GetString()!));
            next = page.Text("next");
            Assert.True(names.Count < 100);
        }

        Assert.Equal(["etc/motd", "etc/new"], names);
        var removed = (await server.SendAsync("GET", $"{image}/files?path=etc&removed=true", "reader")).Is(200)["items"].EnumerateArray().ToList();
        Assert.Equal(1, removed.Single(file => file.GetProperty("path").GetString() == "etc/old").GetProperty("removedBy").GetInt32());
        var motd = (await server.SendAsync("GET", $"{image}/file?path=/etc/motd", "reader")).Is(200)["file"];
        Assert.Equal((1, 0), (motd.GetProperty("layer").GetInt32(), motd.GetProperty("hidden")[0].GetProperty("layer").GetInt32()));

        var text = (await server.SendAsync("GET", $"{image}/text?path=etc/motd", "reader")).Is(200);
        Assert.Equal(("second", "utf8"), (text.Text("text"), text.Text("kind")));
        (await server.SendAsync("GET", $"{image}/text?path=etc/none", "reader")).Is(404);
        (await server.SendAsync("GET", $"{image}/files?path=none", "reader")).Is(404);
        Assert.Equal(["path"], (await server.SendAsync("GET", $"{image}/text", "reader")).Is(400).Faults);
        Assert.Equal(["path"], (await server.SendAsync("GET", $"{image}/files?path=..", "reader")).Is(400).Faults);

        var layers = (await server.SendAsync("GET", image, "reader"))["layers"];
        var layer = (await server.SendAsync("GET", $"{path}/layers/{layers[1].GetProperty("digest").GetString()}/files?path=etc", "reader")).Is(200);
        Assert.Contains("removal", layer["items"].EnumerateArray().Select(file => file.GetProperty("kind").GetString()));
        (await server.SendAsync("GET", $"{path}/layers/sha256:{new string('0', 64)}/files", "reader")).Is(404);
        foreach (var below in new[] { "files", "text?path=etc/motd", "file?path=etc", "packages", "comparison?with=v1" }) (await server.SendAsync("GET", $"{image}/{below}", "stan")).Is(404);
    }

    [Fact]
    public async Task Packages_AreListedPageByPage()
    {
        var ns = await server.NewNamespaceAsync();
        var path = ImageServer.Path($"{ns}/app");
        await server.PushFilesAsync($"{ns}/app", "v1", new TarBytes().File("lib/apk/db/installed", "P:a\nV:1\n\nP:c\nV:3\n\nP:b\nV:2\n\nP:a\nV:1\n\nP:c\"]\\[\nV:4\n\n").End());
        await server.LookAsync($"{path}/manifests/v1/packages", "reader");
        var pages = await Everything($"{path}/manifests/v1/packages?limit=2", "items");
        Assert.Equal([2, 2], pages.Select(page => page.Count));
        Assert.Equal(["a", "b", "c", "c\"]\\["], pages.SelectMany(page => page).Select(package => package.GetProperty("name").GetString()));
    }

    /// <summary>Pages go on in the image that the first was of, and by what came last, not by how many.</summary>
    [Fact]
    public async Task Packages_OfATagThatMoves_AreOfOneImage()
    {
        var repository = $"{await server.NewNamespaceAsync()}/app";
        var path = $"{ImageServer.Path(repository)}/manifests";
        await server.PushFilesAsync(repository, "v1", new TarBytes().File("lib/apk/db/installed", "P:a\nV:1\n\nP:b\nV:2\n\nP:c\nV:3\n\n").End());
        await server.LookAsync($"{path}/v1/packages", "reader");
        var next = (await server.SendAsync("GET", $"{path}/v1/packages?limit=1", "reader")).Is(200).Text("next")!;
        var other = await server.PushFilesAsync(repository, "v1", new TarBytes().File("lib/apk/db/installed", "P:aa\nV:1\n\nP:b\nV:3\n\n").End());
        await server.LookAsync($"{path}/v1/packages", "reader");
        Assert.Equal(["b", "c"], (await Everything(next, "items")).SelectMany(page => page).Select(package => package.GetProperty("name").GetString()));

        // Places are what clients make of them.
        var after = Uri.UnescapeDataString(next[(next.IndexOf("after=", StringComparison.Ordinal) + 6)..]);
        Assert.Equal(["after"], (await server.SendAsync("GET", $"{path}/{other}/packages?after={Uri.EscapeDataString(after)}", "reader")).Is(400).Faults);
        foreach (var wrong in new[] { "3", "[]", $"{other}", $"{other}[", $"{other}[1,2,3,4]", $"""{other}["apk",null,null,"1"]""" })
            Assert.Equal(["after"], (await server.SendAsync("GET", $"{path}/v1/packages?after={Uri.EscapeDataString(wrong)}", "reader")).Is(400).Faults);
        (await server.SendAsync("GET", $"{path}/v1/packages?after={Uri.EscapeDataString($"""sha256:{new string('0', 64)}["apk","a",null,"1"]""")}", "reader")).Is(404);
    }

    [Fact]
    public async Task Comparison_TellsSettingsPackagesAndFiles_OfTwoRepositoriesToo_AndOfNoneThatMayNotBeSeen()
    {
        var (repository, path, _) = await NewAsync();
        var hidden = server.NewName("hidden");
        (await server.SendAsync("POST", "/namespaces", "may", new { name = hidden })).Is(201);
        await server.PushFilesAsync($"{hidden}/app", "v1", new TarBytes().File("x", "x").End());
        await server.PushFilesAsync(repository, "v2", Below(), new TarBytes().File("etc/motd", "third").End());
        var image = $"{path}/manifests/v1/comparison";
        await server.LookAsync($"{image}?with=v2", "reader");

        var compared = (await server.SendAsync("GET", $"{image}?with=v2", "reader")).Is(200);
        Assert.Equal(1, compared["sharedLayers"].GetInt32());
        Assert.Contains(("env/TAG", "v1", "v2"), compared["settings"].EnumerateArray().Select(setting =>
            (setting.GetProperty("name").GetString(), setting.GetProperty("before").GetString(), setting.GetProperty("after").GetString())));
        var files = (await Everything($"{path}/manifests/v1/comparison/files?with=v2&limit=1&ignore=modified", "items")).SelectMany(page => page).ToList();
        Assert.Equal(["etc/motd", "etc/new", "etc/old"], files.Select(file => file.GetProperty("path").GetString()).Order());
        Assert.Equal(["content"], Texts(files.Single(file => file.GetProperty("path").GetString() == "etc/motd").GetProperty("aspects")));
        Assert.Equal(["ignore"], (await server.SendAsync("GET", $"{path}/manifests/v1/comparison/files?with=v2&ignore=colour", "reader")).Is(400).Faults);
        Assert.Equal(["with"], (await server.SendAsync("GET", image, "reader")).Is(400).Faults);

        (await server.SendAsync("GET", $"{image}?with=v1&withRepository={hidden}/app", "admin")).Is(200);
        (await server.SendAsync("GET", $"{image}?with=v1&withRepository={hidden}/app", "reader")).Is(404);
        (await server.SendAsync("GET", $"{image}?with=v1&withRepository={hidden}/none", "reader")).Is(404);
    }

    [Fact]
    public async Task Index_CannotBeLookedInto_AndSaysSo()
    {
        var (repository, path, digest) = await NewAsync();
        using var client = server.Server.Client("admin");
        var size = (await client.GetByteArrayAsync($"/v2/{repository}/manifests/{digest}")).Length;
        await client.PushManifestAsync(repository, "all", RegistryClient.IndexJson((MediaTypes.OciManifest, digest, size)), MediaTypes.OciIndex);
        var look = (await server.SendAsync("GET", $"{path}/manifests/all/files", "reader")).Is(200)["look"];
        Assert.Equal("failed", look.GetProperty("state").GetString());
        Assert.Contains("index", look.GetProperty("whyNot").GetString());
        Assert.True((await server.SendAsync("GET", $"{path}/manifests/all", "reader")).Is(200)["manifests"][0].GetProperty("isThere").GetBoolean());
    }

    private static TarBytes Below() => new TarBytes().Directory("etc/").File("etc/motd", "first").File("etc/old", "old").End();

    private async Task<(string Repository, string Path, Digest Digest)> NewAsync()
    {
        var repository = $"{await server.NewNamespaceAsync()}/app";
        var digest = await server.PushFilesAsync(repository, "v1", Below(),
            new TarBytes().File("etc/motd", "second").File("etc/new", "new").File("etc/.wh.old", "").End());
        return (repository, ImageServer.Path(repository), digest);
    }

    private async Task<List<List<JsonElement>>> Everything(string path, string property)
    {
        var pages = new List<List<JsonElement>>();
        for (var next = path; next is not null; Assert.True(pages.Count < 100, "the pages never end"))
        {
            var page = (await server.SendAsync("GET", next, "reader")).Is(200);
            pages.Add([.. page[property].EnumerateArray()]);
            next = page.Text("next");
        }

        return pages;
    }

    private static IEnumerable<string?> Texts(JsonElement list) => list.EnumerateArray().Select(one => one.GetString());
}
