using System.Net;
using System.Text.RegularExpressions;
using Gantry.Core.Access;
using Gantry.Server.Tests.Auth;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Ui;

/// <summary>Repositories and tags: sorted, narrowed, and turned over to their end.</summary>
[Collection(typeof(PageCollection))]
public sealed class ListingPageTests(PageServer server)
{
    [Theory]
    [InlineData("", "beta gamma alpha")]
    [InlineData("sort=name", "alpha beta gamma")]
    [InlineData("sort=-name", "gamma beta alpha")]
    [InlineData("sort=pushed", "alpha gamma beta")]
    [InlineData("sort=-pulled", "gamma beta alpha")]
    [InlineData("sort=nonsense", "beta gamma alpha")]
    [InlineData("filter=A&sort=name", "alpha beta gamma")]
    [InlineData("filter=PH", "alpha")]
    public async Task Tags_AreSorted_AndNarrowed(string query, string expected)
    {
        var repository = await ThreeTagsAsync();
        using var browser = await server.OpenAsync("reader");
        var page = (await browser.GetAsync($"/repositories/{repository}?{query}")).Is(200);
        Assert.Equal(expected.Split(' '), Names(page));
        // Every head says what it would do, and one how it is.
        Assert.Equal(4, Regex.Count(page.Main, "class=\"sort\""));
        Assert.Single(Regex.Matches(page.Main, "aria-sort=\"(ascending|descending)\""));
    }

    [Fact]
    public async Task Tags_AreSortedBySize_OnceThatIsKnown()
    {
        var repository = $"acme/{server.NewName("sizes")}";
        using var client = server.Registry.Client();
        foreach (var (tag, bytes) in new[] { ("middle", 5_000), ("large", 50_000), ("small", 10) }) await client.PushImageAsync(repository, tag, new byte[bytes]);
        using var browser = await server.OpenAsync("reader");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!Names((await browser.GetAsync($"/repositories/{repository}?sort=-size")).Is(200)).SequenceEqual(["large", "middle", "small"])) limit.Token.ThrowIfCancellationRequested();
        Assert.Equal(["small", "middle", "large"], Names(await browser.GetAsync($"/repositories/{repository}?sort=size")));
    }

    [Fact]
    public async Task Tags_SayWhatTheyName()
    {
        var repository = $"acme/{server.NewName("facts")}";
        using var client = server.Registry.Client();
        var digest = await client.PushImageAsync(repository, "v1", new byte[3000]);
        using var browser = await server.OpenAsync("maintainer");
        var page = (await browser.GetAsync($"/repositories/{repository}")).Is(200);
        Assert.Contains($"title=\"{digest}\"", page.Main, StringComparison.Ordinal);
        Assert.Contains("KiB", page.Text, StringComparison.Ordinal);
        Assert.Contains($"href=\"images/{repository}:v1\"", page.Main, StringComparison.Ordinal);
        Assert.Contains($"href=\"history/{repository}:v1\"", page.Main, StringComparison.Ordinal);
        Assert.Contains($"href=\"delete/{repository}:v1\"", page.Main, StringComparison.Ordinal);
        using var reader = await server.OpenAsync("reader");
        Assert.DoesNotContain("href=\"delete/", (await reader.GetAsync($"/repositories/{repository}")).Is(200).Main, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tags_WhereNoneIsFound_SayWhatToDo()
    {
        using var browser = await server.OpenAsync("reader");
        var page = (await browser.GetAsync("/repositories/acme/app?filter=nothing-like-it")).Is(200);
        Assert.Contains("No tag has “nothing-like-it” in its name.", page.Text, StringComparison.Ordinal);
        Assert.Contains("value=\"nothing-like-it\"", page.Main, StringComparison.Ordinal);
        (await browser.GetAsync("/repositories/acme/app?after=%00")).Is(200);
        (await browser.GetAsync("/repositories/acme/app?after=no-place:x:y")).Is(400);
    }

    [Fact]
    public async Task PullCommands_AreWholeLines_ForWhoeverReadsThem()
    {
        var host = Host;
        using var reader = await server.OpenAsync("reader");
        Assert.Equal(
            [
                $"docker pull {host}/mirror/base:latest",
                $"podman pull --tls-verify=false {host}/mirror/base:latest",
                $"nerdctl pull {host}/mirror/base:latest",
                $"ctr images pull --plain-http --user reader {host}/mirror/base:latest",
                $"crictl pull --creds reader:TOKEN {host}/mirror/base:latest",
                $"gantry pull {host}/mirror/base:latest",
                $"spec:\n  containers:\n    - name: app\n      image: {host}/mirror/base:latest\n  imagePullSecrets:\n    - name: gantry",
            ], Blocks(await reader.GetAsync("/repositories/mirror/base")));
        Assert.Contains(
            $"kubectl create secret docker-registry gantry --docker-server={host} --docker-username=reader --docker-password=TOKEN ",
            (await reader.GetAsync("/repositories/mirror/base")).Text, StringComparison.Ordinal);

        // Nobody in particular has no credential to show, and another host than this one needs to be called plain.
        using var nobody = await server.OpenAsync(null);
        host = "images.example:8080";
        Assert.Equal(
            [
                $"docker pull {host}/mirror/base:latest",
                $"podman pull --tls-verify=false {host}/mirror/base:latest",
                $"nerdctl pull --insecure-registry {host}/mirror/base:latest",
                $"ctr images pull --plain-http {host}/mirror/base:latest",
                $"crictl pull {host}/mirror/base:latest",
                $"gantry pull --plain-http {host}/mirror/base:latest",
                $"spec:\n  containers:\n    - name: app\n      image: {host}/mirror/base:latest",
            ], Blocks(await nobody.GetAsync("/repositories/mirror/base", ("Host", host))));
    }

    [Fact]
    public async Task Nothing_IsTaughtToBePushed_ToWhoMayNot()
    {
        var space = server.NewName("bare");
        await server.Registry.AddNamespaceAsync(space, Visibility.Public);
        await server.Registry.SetRoleAsync(space, "writer", NamespaceRole.Writer);
        await server.Registry.SetRoleAsync(space, "reader", NamespaceRole.Reader);
        using var client = server.Registry.Client();
        foreach (var account in new[] { "reader", "stan", null })
        {
            using var browser = await server.OpenAsync(account);
            await CheckAsync((await browser.GetAsync($"/namespaces/{space}")).Is(200), account);
        }

        using var writer = await server.OpenAsync("writer");
        Assert.Equal(
            [$"docker login {Host} -u writer", $"docker pull alpine\ndocker tag alpine {Host}/{space}/alpine:latest", $"docker push {Host}/{space}/alpine:latest"],
            Blocks((await writer.GetAsync($"/namespaces/{space}")).Is(200)));

        await client.PushImageAsync($"{space}/app", null, "x"u8.ToArray());
        foreach (var account in new[] { "reader", "stan", null })
        {
            using var browser = await server.OpenAsync(account);
            await CheckAsync((await browser.GetAsync($"/repositories/{space}/app")).Is(200), account);
        }

        Assert.Equal([$"docker push {Host}/{space}/app:latest"], Blocks((await writer.GetAsync($"/repositories/{space}/app")).Is(200)));

        async Task CheckAsync(PageAnswer page, string? account)
        {
            Assert.DoesNotContain("docker", page.Text, StringComparison.Ordinal);
            if (account is not null) Assert.Contains($"Writers and maintainers of {space} push here", page.Text, StringComparison.Ordinal);
            else (await page.Browser.GetAsync($"/{WebUtility.HtmlDecode(Regex.Match(page.Main, "href=\"(signin[^\"]*)\"").Groups[1].Value)}")).Is(200);
        }
    }

    [Fact]
    public async Task Repositories_AreSorted_AndFoundByTheirWords()
    {
        var space = server.NewName("sorted");
        await server.Registry.AddNamespaceAsync(space);
        using var client = server.Registry.Client();
        foreach (var (name, bytes) in new[] { ("small", 10), ("large", 50_000), ("middle", 5_000) }) await client.PushImageAsync($"{space}/shop/{name}", "v1", new byte[bytes]);
        using var browser = await server.OpenAsync();
        Assert.Equal(["large", "middle", "small"], Names((await browser.GetAsync($"/namespaces/{space}")).Is(200)));

        // Counted moments after; until then the page says that it is.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        PageAnswer page;
        while (Names(page = (await browser.GetAsync($"/namespaces/{space}?sort=-size")).Is(200)).Count < 3 || page.Text.Contains("counting…", StringComparison.Ordinal))
            limit.Token.ThrowIfCancellationRequested();
        Assert.Equal(["large", "middle", "small"], Names(page));
        Assert.Equal(["small", "middle", "large"], Names(await browser.GetAsync($"/namespaces/{space}?sort=size")));
        // A count does not wait for the event of each push.
        while (!Names(await browser.GetAsync($"/namespaces/{space}?sort=-pushed")).SequenceEqual(["middle", "large", "small"])) limit.Token.ThrowIfCancellationRequested();
        Assert.Equal(["middle"], Names(await browser.GetAsync($"/?q={Uri.EscapeDataString($"MIDD {space}")}")));
        Assert.Equal(["middle"], Names(await browser.GetAsync($"/namespaces/{space}?filter=idd")));
        Assert.Contains("has “<x>” in its name", (await browser.GetAsync("/?q=%3Cx%3E")).Is(200).Text, StringComparison.Ordinal);
    }

    /// <summary>A namespace of which a rule keeps repositories from people says nothing of their sum but to administrators.</summary>
    [Fact]
    public async Task Namespaces_AreFound_WithTheirSizeAndLastPush()
    {
        var prefix = server.NewName("spaces");
        foreach (var name in new[] { "full", "ruled", "empty" }) await server.Registry.AddNamespaceAsync($"{prefix}-{name}", Visibility.Public);
        using var client = server.Registry.Client();
        foreach (var name in new[] { "full/a", "full/b", "ruled/a" }) await client.PushImageAsync($"{prefix}-{name}", "v1", new byte[2 * 1024 * 1024]);
        await server.Registry.ExecuteAsync(
            $$"""INSERT INTO access_rules (namespace_id, pattern, applies_to, denied) SELECT id, 'a', '{public}', '{pull}' FROM namespaces WHERE name = '{{prefix}}-ruled'""");
        using var browser = await server.OpenAsync("stan");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        PageAnswer page;
        while (!(page = (await browser.GetAsync($"/namespaces?filter={prefix}")).Is(200)).Text.Contains("public 2 4.00 MiB", StringComparison.Ordinal)) limit.Token.ThrowIfCancellationRequested();
        EveryPageTests.Check(page);
        Assert.Equal([$"{prefix}-empty", $"{prefix}-full", $"{prefix}-ruled"], Names(page));
        Assert.Contains($"{prefix}-ruled public – – –", page.Text, StringComparison.Ordinal);
        Assert.Contains($"{prefix}-empty public 0 0 B never", page.Text, StringComparison.Ordinal);
        using var admin = await server.OpenAsync();
        while (!(await admin.GetAsync($"/namespaces?filter={prefix}%20RUL")).Is(200).Text.Contains($"{prefix}-ruled public 1 2.00 MiB", StringComparison.Ordinal)) limit.Token.ThrowIfCancellationRequested();

        // The header's search shows what stands in #found-here.
        var found = (await browser.GetAsync($"/?q={prefix}-EMP")).Is(200);
        Assert.Contains("id=\"found-here\"", found.Main, StringComparison.Ordinal);
        Assert.Contains($"href=\"namespaces/{prefix}-empty\"", found.Main, StringComparison.Ordinal);
        Assert.Equal(["a", "b"], Names(await browser.GetAsync($"/?q={prefix}-full")));
        Assert.Contains("No namespace that you may see has “<x>” in its name", (await browser.GetAsync("/namespaces?filter=%3Cx%3E")).Is(200).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Repository_ThatIsNotCounted_SaysSo()
    {
        var repository = $"acme/{server.NewName("uncounted")}";
        using var client = server.Registry.Client();
        await client.PushImageAsync(repository, "v1", "x"u8.ToArray());
        await server.Registry.ExecuteAsync($"UPDATE repository_statistics SET counted_at = NULL, stale_since = NULL WHERE repository_id = (SELECT id FROM repositories WHERE name = '{repository}')");
        using var browser = await server.OpenAsync("reader");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        // The push's own event may still count it.
        while (!(await browser.GetAsync($"/repositories/{repository}")).Is(200).Text.Contains("is being counted", StringComparison.Ordinal))
        {
            limit.Token.ThrowIfCancellationRequested();
            await server.Registry.ExecuteAsync($"UPDATE repository_statistics SET counted_at = NULL, stale_since = NULL WHERE repository_id = (SELECT id FROM repositories WHERE name = '{repository}')");
        }

        Assert.Contains("data-again", (await browser.GetAsync($"/repositories/{repository}")).Main, StringComparison.Ordinal);
    }

    private string Host => server.Registry.Address.Authority;

    // What there is to copy as whole lines.
    private static List<string> Blocks(PageAnswer page) =>
        [.. Regex.Matches(page.Main, "<span class=\"copy block\"><code[^>]*>([^<]*)</code>").Select(match => WebUtility.HtmlDecode(match.Groups[1].Value))];

    private static List<string> Names(PageAnswer page) =>
        [.. Regex.Matches(page.Main, "<th scope=\"row\">.*?<strong>(?<name>[^<]*)</strong>", RegexOptions.Singleline | RegexOptions.ExplicitCapture)
            .Select(match => WebUtility.HtmlDecode(match.Groups["name"].Value))];

    private async Task<string> ThreeTagsAsync()
    {
        var repository = $"acme/{server.NewName("three")}";
        using var client = server.Registry.Client();
        await client.PushImageAsync(repository, "alpha", "a"u8.ToArray());
        await client.PushImageAsync(repository, "gamma", "c"u8.ToArray());
        await client.PushImageAsync(repository, "beta", "b"u8.ToArray());
        await server.Registry.ExecuteAsync(
            $"""
             INSERT INTO tag_pulls (repository_id, name, pulled_at, pulls)
             SELECT repository_id, name, CASE name WHEN 'gamma' THEN now() WHEN 'beta' THEN now() - interval '1 day' ELSE '-infinity' END, 1
             FROM tags WHERE repository_id = (SELECT id FROM repositories WHERE name = '{repository}')
             ON CONFLICT (repository_id, name) DO UPDATE SET pulled_at = excluded.pulled_at
             """);
        return repository;
    }
}
