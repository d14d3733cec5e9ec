using System.Net;
using System.Text.Json.Nodes;
using Gantry.Oci;
using Gantry.Server.Tests.Auth;
using Gantry.TestKit;
using Gantry.TestKit.Tar;

namespace Gantry.Server.Tests.Ui;

[Collection(typeof(PageCollection))]
public sealed class ImagePageTests(PageServer server)
{
    [Fact]
    public async Task Image_ShowsLayersBesideHistory_AndHowItRuns()
    {
        using var client = server.Registry.Client();
        var digest = await client.PushLayersAsync("acme/whole", "1.0", JsonNode.Parse(
            """
            {"created":"2026-11-01T10:00:00Z","config":{"Entrypoint":["/bin/app","--port","80 80"],"User":"1000","WorkingDir":"/srv","Env":["MODE=prod"],
            "ExposedPorts":{"8080/tcp":{}},"Volumes":{"/data":{}},"Labels":{"team":"blue"}},
            "history":[{"created_by":"/bin/sh -c #(nop) ADD base"},{"created_by":"ENV MODE=prod","empty_layer":true},{"created_by":"RUN /bin/sh -c make # buildkit"}]}
            """)!.AsObject(), new TarBytes().File("a", "one").End(), new TarBytes().File("b", "two").End());
        using var browser = await server.OpenAsync("reader");
        var page = (await browser.GetAsync("/images/acme/whole:1.0")).Is(200);
        EveryPageTests.Check(page);
        foreach (var text in new[] { "linux/amd64", """["/bin/app","--port","80 80"]""", "8080/tcp", "/data", "/srv", "MODE", "prod", "team", "blue" })
            Assert.Contains(text, page.Text, StringComparison.Ordinal);
        Assert.Contains($"docker pull {server.Registry.Address.Authority}/acme/whole@{digest}", page.Text, StringComparison.Ordinal);
        Assert.Contains("aria-label=\"Size by layer, 2 in all:", page.Main, StringComparison.Ordinal);

        // Each layer stands in the row of the step that made it, and the step in between has none.
        Assert.Matches(@" 1 ADD base .* Look inside layer 1 .* – ENV MODE=prod .* 2 RUN /bin/sh -c make .* Look inside layer 2 ", page.Text);
        foreach (var link in new[] { "files/acme/whole:1.0?layer=2", "documents/acme/whole:1.0", "packages/acme/whole:1.0", "history/acme/whole:1.0", "compare/acme/whole?to=1.0" })
            Assert.Contains($"href=\"{link}\"", page.Main, StringComparison.Ordinal);

        // By its digest it is the same, and has no history.
        var same = (await browser.GetAsync($"/images/acme/whole@{digest}")).Is(200);
        Assert.Contains($"href=\"images/acme/whole:1.0\">1.0</a>", same.Main, StringComparison.Ordinal);
        Assert.DoesNotContain("href=\"history/", same.Main, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Image_ThatIsHostile_IsTextAlone()
    {
        const string Text = ImagePushes.Hostile;
        var config = new JsonObject
        {
            ["author"] = Text,
            ["config"] = new JsonObject
            {
                ["User"] = Text, ["WorkingDir"] = Text, ["Entrypoint"] = new JsonArray(Text), ["Cmd"] = new JsonArray(Text), ["StopSignal"] = Text,
                ["Env"] = new JsonArray([Text, .. Enumerable.Range(0, 150).Select(number => (JsonNode)$"V{number}={Text}")]), ["ExposedPorts"] = new JsonObject { [Text] = new JsonObject() },
                ["Volumes"] = new JsonObject { [Text] = new JsonObject() }, ["Labels"] = new JsonObject { [Text] = string.Concat(Enumerable.Repeat(Text, 200)) },
            },
            ["history"] = new JsonArray(new JsonObject { ["created_by"] = Text, ["comment"] = Text }, new JsonObject { ["created_by"] = new string('x', 50_000), ["empty_layer"] = true }),
        };
        using var client = server.Registry.Client();
        await client.PushLayersAsync("acme/hostile", "x", config, new TarBytes().File("a").End());
        using var browser = await server.OpenAsync("reader");
        foreach (var path in new[] { "/images/acme/hostile:x", "/documents/acme/hostile:x" })
        {
            var page = (await browser.GetAsync(path)).Is(200);
            EveryPageTests.Check(page);
            Assert.DoesNotContain("<img", page.Html, StringComparison.Ordinal);
            Assert.DoesNotContain("\u202e", page.Text, StringComparison.Ordinal);
            Assert.InRange(page.Html.Length, 1, 400_000);
        }

        // What is not shown whole says so, and says where all of it is.
        var image = (await browser.GetAsync("/images/acme/hostile:x")).Text;
        Assert.Contains(@"\u{202e}gnp", image, StringComparison.Ordinal);
        Assert.Contains("50,000 characters", image, StringComparison.Ordinal);
        Assert.Contains("The first 100 of 151.", image, StringComparison.Ordinal);
        Assert.Contains(new string('x', 50_000), (await browser.GetAsync("/documents/acme/hostile:x")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Index_ShowsItsPlatforms_AndEachHasPages()
    {
        using var client = server.Registry.Client();
        var one = await client.PushLayersAsync("acme/multi", null, new JsonObject { ["architecture"] = "amd64" }, new TarBytes().File("amd").End());
        var other = await client.PushLayersAsync("acme/multi", null, new JsonObject { ["architecture"] = "arm64" }, new TarBytes().File("arm").End());
        await client.PushIndexAsync("acme/multi", "all", ("arm64", other), ("amd64", one));
        await server.Registry.ReadLayersAsync("acme/multi", one);
        await server.Registry.ReadLayersAsync("acme/multi", other);
        using var browser = await server.OpenAsync("reader");
        var page = (await browser.GetAsync("/images/acme/multi:all")).Is(200);
        EveryPageTests.Check(page);
        Assert.Contains("href=\"images/acme/multi:all?platform=linux%2Farm64\"", page.Main, StringComparison.Ordinal);
        Assert.DoesNotContain("Layers and build history", page.Text, StringComparison.Ordinal);

        var arm = (await browser.GetAsync("/images/acme/multi:all?platform=linux%2Farm64")).Is(200);
        Assert.Contains(other.ToString(), arm.Text, StringComparison.Ordinal);
        Assert.Contains("href=\"files/acme/multi:all?platform=linux%2Farm64&amp;layer=1\"", arm.Main, StringComparison.Ordinal);
        (await browser.GetAsync("/images/acme/multi:all?platform=linux%2Fs390x")).Is(404);

        // Nobody said which: what most people run.
        Assert.Contains(">amd</a>", (await browser.GetAsync("/files/acme/multi:all")).Is(200).Main, StringComparison.Ordinal);
        Assert.Contains(">arm</a>", (await browser.GetAsync("/files/acme/multi:all?platform=linux%2Farm64")).Is(200).Main, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Referrers_AreATree()
    {
        using var client = server.Registry.Client();
        var image = await client.PushImageAsync("acme/signed", "v1", "layer"u8.ToArray());
        var sbom = await client.PushManifestAsync("acme/signed", null, RegistryClient.ImageJson(["layer"u8.ToArray()], image, "application/spdx+json", new Dictionary<string, string> { ["about"] = ImagePushes.Hostile }));
        var signature = await client.PushManifestAsync("acme/signed", null, RegistryClient.ImageJson(["layer"u8.ToArray()], sbom, "application/vnd.dev.cosign.artifact.sig.v1+json"));
        using var browser = await server.OpenAsync("reader");
        var page = (await browser.GetAsync("/images/acme/signed:v1")).Is(200);
        EveryPageTests.Check(page);
        Assert.Matches("SBOM.*<ul class=\"tree\">.*Signature", page.Main.ReplaceLineEndings(" "));
        foreach (var digest in new[] { sbom, signature }) Assert.Contains($"href=\"images/acme/signed@{digest}\"", page.Main, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", page.Html, StringComparison.Ordinal);

        // An artifact is no image: what it refers to is said, and how to run it is not.
        var artifact = (await browser.GetAsync($"/images/acme/signed@{signature}")).Is(200);
        Assert.Contains($"href=\"images/acme/signed@{sbom}\"", artifact.Main, StringComparison.Ordinal);
        Assert.Contains("cosign sign", (await browser.GetAsync("/images/acme/app:v1")).Is(200).Text, StringComparison.Ordinal);
    }

    /// <summary>What BuildKit puts beside an image is in the tree of the image, also by its digest; what refers to the index is on the page of each of its images.</summary>
    [Fact]
    public async Task Referrers_OfAnImageFromAnIndex_AreItsAttestations_AndThoseOfTheIndex()
    {
        using var client = server.Registry.Client();
        var image = await client.PushLayersAsync("acme/attested", null, null, new TarBytes().File("a").End());
        var statement = RegistryClient.EmptyConfig;
        await client.PushBlobAsync("acme/attested", statement);
        JsonNode Predicate(string type)
        {
            var layer = ImagePushes.Describe("application/vnd.in-toto+json", statement);
            layer["annotations"] = new JsonObject { ["in-toto.io/predicate-type"] = type };
            return layer;
        }

        var attestation = await client.PushManifestAsync("acme/attested", null, new JsonObject
        {
            ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciManifest, ["config"] = ImagePushes.Describe(MediaTypes.OciConfig, statement),
            ["layers"] = new JsonArray(Predicate("https://spdx.dev/Document"), Predicate("https://slsa.dev/provenance/v1"), Predicate(ImagePushes.Hostile)),
        }.ToJsonString());
        JsonNode Entry(Digest digest, string platform, JsonObject? notes) => new JsonObject
        {
            ["mediaType"] = MediaTypes.OciManifest, ["digest"] = $"{digest}", ["size"] = 500, ["annotations"] = notes,
            ["platform"] = new JsonObject { ["os"] = platform == "unknown" ? platform : "linux", ["architecture"] = platform },
        };
        var index = await client.PushManifestAsync("acme/attested", "v1", new JsonObject
        {
            ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciIndex,
            ["manifests"] = new JsonArray(Entry(image, "amd64", []), Entry(attestation, "unknown", new JsonObject
            {
                ["vnd.docker.reference.type"] = "attestation-manifest", ["vnd.docker.reference.digest"] = $"{image}",
            })),
        }.ToJsonString(), MediaTypes.OciIndex);
        var signature = await client.PushManifestAsync("acme/attested", null, RegistryClient.ImageJson([statement], index, "application/vnd.dev.cosign.artifact.sig.v1+json"));
        using var browser = await server.OpenAsync("reader");
        foreach (var path in new[] { $"/images/acme/attested@{image}", "/images/acme/attested:v1?platform=linux%2Famd64", "/images/acme/attested:v1" })
        {
            var page = (await browser.GetAsync(path)).Is(200);
            EveryPageTests.Check(page);
            Assert.Matches("Attestation, Provenance, SBOM .* in its index", page.Text);
            Assert.Contains($"href=\"images/acme/attested@{attestation}\"", page.Main, StringComparison.Ordinal);
            Assert.DoesNotContain("<img", page.Html, StringComparison.Ordinal);
            Assert.Equal(!path.Contains('@', StringComparison.Ordinal), page.Main.Contains($"href=\"images/acme/attested@{signature}\"", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Documents_AreShownByLines_AndGivenAsTheyWerePushed()
    {
        using var client = server.Registry.Client();
        var digest = await client.PushLayersAsync("acme/documents", "v1", new JsonObject { ["author"] = ImagePushes.Hostile }, new TarBytes().File("a").End());
        using var browser = await server.OpenAsync("reader");
        var page = (await browser.GetAsync("/documents/acme/documents:v1")).Is(200);
        Assert.Contains("\n  \"schemaVersion\": 2,\n", WebUtility.HtmlDecode(page.Main), StringComparison.Ordinal);

        var raw = (await browser.GetAsync($"/document/acme/documents@{digest}")).Is(200);
        Assert.Equal(digest, Digest.Of(System.Text.Encoding.UTF8.GetBytes(raw.Html)));
        Assert.Equal("application/octet-stream", raw.Headers["Content-Type"]);
        Assert.StartsWith("attachment", raw.Headers["Content-Disposition"], StringComparison.Ordinal);
        Assert.Equal("nosniff", raw.Headers["X-Content-Type-Options"]);
        Assert.Contains("author", (await browser.GetAsync("/document/acme/documents:v1?of=config")).Is(200).Html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("images")]
    [InlineData("files")]
    [InlineData("file")]
    [InlineData("packages")]
    [InlineData("documents")]
    [InlineData("document")]
    public async Task Pages_OfAnImage_ForWhoMayNot_AreAsThoseOfNone(string page)
    {
        foreach (var account in new[] { "stan", null })
        {
            using var browser = await server.OpenAsync(account);
            (await browser.GetAsync($"/{page}/acme/app:v1")).Is(404);
            (await browser.GetAsync($"/{page}/mirror/base:latest?path=x")).Is(200);
        }

        using var reader = await server.OpenAsync("reader");
        foreach (var path in new[] { "acme/app", "acme/app:none", "acme/none:v1", $"acme/app@sha256:{new string('0', 64)}", "acme/app@v1", $"acme/app:sha256:{new string('0', 64)}", "acme/app:" })
            (await reader.GetAsync($"/{page}/{path}")).Is(404);
    }

    [Fact]
    public async Task Pages_ThatLook_AreNoPulls()
    {
        using var client = server.Registry.Client();
        await client.PushLayersAsync("acme/looked", "v1", null, new TarBytes().File("a", "text").End());
        await server.Registry.ReadLayersAsync("acme/looked", TagName.Parse("v1"));
        using var browser = await server.OpenAsync("reader");
        foreach (var path in new[] { "images/acme/looked:v1", "files/acme/looked:v1", "file/acme/looked:v1?path=a", "packages/acme/looked:v1", "compare/acme/looked?from=v1&to=v1" })
            (await browser.GetAsync($"/{path}")).Is(200);
        await server.Registry.Get<Core.Pull.PullCounts>().WriteAsync(default);
        Assert.Equal(["0"], await server.Registry.TextsAsync("SELECT coalesce(sum(pulls), 0)::text FROM tag_pulls p JOIN repositories r ON r.id = p.repository_id WHERE r.name = 'acme/looked'"));
    }
}
