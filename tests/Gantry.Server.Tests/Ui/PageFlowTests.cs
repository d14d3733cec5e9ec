using System.Net;
using System.Text.RegularExpressions;
using Gantry.Server.Tests.Auth;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Ui;

/// <summary>What people do on the pages, without any script.</summary>
[Collection(typeof(PageCollection))]
public sealed class PageFlowTests(PageServer server)
{
    [Fact]
    public async Task AccessToken_IsShownOnce_WorksWithinItsScopes_AndEndsWhenRevoked()
    {
        using var browser = await server.OpenAsync("writer");
        var page = await browser.GetAsync("/account/tokens");
        var made = (await page.SubmitAsync("make",
            ("name", "for a test"), ("scope", "some"), ("pattern", "acme/*"), ("actions", "pull"), ("days", "30"))).Is(200);
        var token = Regex.Match(made.Text, "gantry_pat_[0-9A-Za-z]{38}").Value;
        Assert.Contains($"docker login {server.Registry.Address.Authority} -u writer", made.Text, StringComparison.Ordinal);

        using var client = server.Registry.Client("writer", token);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, HttpMethod.Get, "/v2/acme/app/manifests/v1"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(client, HttpMethod.Post, "/v2/acme/app/blobs/uploads/"));

        var later = await browser.GetAsync("/account/tokens");
        Assert.DoesNotContain(token, later.Html, StringComparison.Ordinal);
        var revoked = await later.SubmitAsync("revoke", ("id", later.Button("revoke", "id", "for a test")));
        Assert.Contains("is revoked", (await browser.FollowAsync(revoked)).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(client, HttpMethod.Get, "/v2/acme/app/manifests/v1"));
    }

    [Theory]
    [InlineData("", "some", "acme/*", "pull", "This is needed.")]
    [InlineData("x", "some", "", "", "Name repositories")]
    [InlineData("x", "some", "ACME", "pull", "A pattern has")]
    [InlineData("x", "some", "acme/*", "", "A pattern has")]
    public async Task AccessToken_ThatIsNone_IsNotMade_AndWhatWasTypedStays(string name, string scope, string pattern, string action, string fault)
    {
        using var browser = await server.OpenAsync("reader");
        var answer = (await (await browser.GetAsync("/account/tokens")).SubmitAsync("make",
            ("name", name), ("scope", scope), ("pattern", pattern), ("actions", action), ("days", "30"))).Is(400);
        Assert.Contains(fault, answer.Text, StringComparison.Ordinal);
        Assert.Contains("aria-invalid=\"true\"", answer.Main, StringComparison.Ordinal);
        Assert.Contains("<option value=\"30\" selected", answer.Main, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Listings_LeadToTheirEnd_APageAtATime()
    {
        var repository = $"acme/{server.NewName("many")}";
        using var client = server.Registry.Client();
        var digest = await client.PushImageAsync(repository, "t000", "many"u8.ToArray());
        await server.Registry.ExecuteAsync(
            $"""
             INSERT INTO tags (repository_id, name, manifest_digest) SELECT id, 't' || lpad(n::text, 3, '0'), '{digest}'
             FROM repositories, generate_series(1, 249) n WHERE name = '{repository}';
             INSERT INTO tag_history (repository_id, name, manifest_digest, account) SELECT id, 't000', '{digest}', 'mover-' || n
             FROM repositories, generate_series(1, 119) n WHERE name = '{repository}'
             """);
        using var browser = await server.OpenAsync("reader");

        var tags = await AllAsync(browser, $"/repositories/{repository}?sort=name", "<strong>(t[0-9]{3})</strong>");
        Assert.Equal(Enumerable.Range(0, 250).Select(n => $"t{n:000}"), tags);
        var some = await AllAsync(browser, $"/repositories/{repository}?filter=T1&sort=name", "<strong>(t[0-9]{3})</strong>");
        Assert.Equal(Enumerable.Range(100, 100).Select(n => $"t{n:000}"), some);
        var moves = await AllAsync(browser, $"/history/{repository}:t000", "<code>(mover-[0-9]+|admin)</code>");
        Assert.Equal([.. Enumerable.Range(1, 119).Reverse().Select(n => $"mover-{n}"), "admin"], moves);

        static async Task<List<string>> AllAsync(PageBrowser browser, string path, string item)
        {
            var found = new List<string>();
            for (string? next = path; next is not null; Assert.True(found.Count < 1000, "the pages never end"))
            {
                var page = (await browser.GetAsync(next)).Is(200);
                found.AddRange(Regex.Matches(page.Main, item).Select(match => match.Groups[1].Value));
                next = Regex.Match(page.Main, "href=\"([^\"]*)\" rel=\"next\"") is { Success: true } link
                    ? $"/{WebUtility.HtmlDecode(link.Groups[1].Value)}" : null;
            }

            return found;
        }
    }

    [Fact]
    public async Task Namespace_IsMade_Filled_AndDeleted()
    {
        var name = server.NewName("space");
        using var browser = await server.OpenAsync();
        await browser.FollowAsync(await (await browser.GetAsync("/namespaces")).SubmitAsync("create", ("name", name), ("visibility", "public")));

        var members = await browser.GetAsync($"/namespaces/{name}/members");
        Assert.Contains("There is no such account.", (await members.SubmitAsync("add", ("who", "nobody-here"), ("role", "writer"))).Is(400).Text, StringComparison.Ordinal);
        members = await browser.FollowAsync(await members.SubmitAsync("add", ("who", "stan"), ("role", "writer")));
        var id = members.Button("members", "set", "<code>stan</code>");
        members = await browser.FollowAsync(await members.SubmitAsync("members", ("set", id), ($"role.{id}", "maintainer")));
        Assert.Contains("stan is maintainer", members.Text, StringComparison.Ordinal);
        members = await browser.FollowAsync(await members.SubmitAsync("members", ("remove", id)));
        Assert.Contains("This namespace has no members.", members.Text, StringComparison.Ordinal);

        var rules = await browser.GetAsync($"/namespaces/{name}/rules");
        Assert.Contains("must be * or begin with", (await rules.SubmitAsync("add", ("pattern", "other/*"), ("who", "writer"), ("denied", "push"))).Is(400).Text, StringComparison.Ordinal);
        rules = await browser.FollowAsync(await rules.SubmitAsync("add", ("pattern", $"{name}/prod-*"), ("who", "writer"), ("denied", "push")));
        rules = await browser.FollowAsync(await rules.SubmitAsync("remove", ("id", rules.Button("remove", "id", $"{name}/prod-*"))));
        Assert.Contains("There are no rules", rules.Text, StringComparison.Ordinal);

        var robot = await browser.FollowAsync(await (await browser.GetAsync($"/namespaces/{name}/robots")).SubmitAsync("add", ("name", "ci"), ("role", "writer")));
        Assert.Contains("gantry_rob_", (await robot.SubmitAsync("make", ("name", "t"), ("scope", "all"), ("days", "never"))).Is(200).Text, StringComparison.Ordinal);
        var robots = await browser.GetAsync($"/namespaces/{name}/robots");
        robots = await browser.FollowAsync(await robots.SubmitAsync("robots", ("disable", $"robot.{name}.ci")));
        Assert.Contains("disabled", robots.Main, StringComparison.Ordinal);
        Assert.Contains("no robots", (await browser.FollowAsync(await robots.SubmitAsync("robots", ("delete", $"robot.{name}.ci")))).Text, StringComparison.Ordinal);

        var settings = await browser.GetAsync($"/namespaces/{name}/settings");
        await browser.FollowAsync(await settings.SubmitAsync("visibility", ("visibility", "private")));
        await browser.FollowAsync(await settings.SubmitAsync("delete"));
        (await browser.GetAsync($"/namespaces/{name}")).Is(404);
    }

    [Fact]
    public async Task Account_IsMade_Changed_AndDeleted()
    {
        var name = server.NewName("person");
        using var browser = await server.OpenAsync();
        var page = await browser.GetAsync("/accounts");
        Assert.Contains("neither self", (await page.SubmitAsync("create", ("name", "self"), ("login", "password"))).Is(400).Text, StringComparison.Ordinal);
        var made = (await page.SubmitAsync("create", ("name", name), ("login", "password"), ("displayName", "A Person"))).Is(200);
        var password = Regex.Match(made.Main, "<code tabindex=\"0\">([^<]+)</code>").Groups[1].Value;
        using var person = server.Registry.Client(name, password);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(person, HttpMethod.Get, "/v2/"));

        var account = await browser.GetAsync($"/accounts/{name}");
        account = await browser.FollowAsync(await account.SubmitAsync("change", ("set", "creates-yes")));
        account = await browser.FollowAsync(await account.SubmitAsync("change", ("set", "disable")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(person, HttpMethod.Get, "/v2/"));
        account = await browser.FollowAsync(await account.SubmitAsync("change", ("set", "enable")));
        var renewed = (await account.SubmitAsync("change", ("set", "password"))).Is(200);
        Assert.DoesNotContain(password, renewed.Html, StringComparison.Ordinal);
        await browser.FollowAsync(await account.SubmitAsync("delete"));
        (await browser.GetAsync($"/accounts/{name}")).Is(404);

        // The last administrator stays one, and hears why.
        var admin = await browser.GetAsync("/accounts/admin");
        Assert.Contains("Your own password", (await admin.SubmitAsync("change", ("set", "password"))).Is(400).Text, StringComparison.Ordinal);
        Assert.Contains("the last administrator", (await admin.SubmitAsync("change", ("set", "disable"))).Is(409).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Audit_IsFiltered_AndExported()
    {
        var name = server.NewName("formula");
        await server.Registry.CreateAccountAsync(name, RegistryServer.Password);
        using var client = server.Registry.Client(name);
        client.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", "=HYPERLINK(\"http://evil.example\",\"x\")");
        await StatusAsync(client, HttpMethod.Get, "/v2/acme/app/tags/list");

        using var browser = await server.OpenAsync();
        var page = (await browser.GetAsync($"/audit?account={name}&kind=denied")).Is(200);
        Assert.Contains("asked for pull on acme/app", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("account.create</span>", page.Main, StringComparison.Ordinal);

        var csv = (await browser.GetAsync($"/audit/export?format=csv&account={name}")).Is(200);
        Assert.Equal("attachment; filename=\"audit.csv\"", csv.Headers["Content-Disposition"]);
        Assert.Contains(",\"'=HYPERLINK(\"\"http://evil.example\"\",\"\"x\"\")\",", csv.Html, StringComparison.Ordinal);
        Assert.DoesNotMatch("(^|,)\"?=", csv.Html);
        var lines = (await browser.GetAsync($"/audit/export?format=jsonl&account={name}")).Is(200).Html.Trim().Split('\n');
        Assert.Equal(csv.Html.Trim().Split("\r\n").Length - 1, lines.Length);
        (await browser.GetAsync("/audit/export")).Is(400);

        var days = (await browser.GetAsync($"/audit?account={name}&from=2020-01-01&until=9000-01-01")).Is(200);
        Assert.Matches("<input id=\"f-until\" name=\"until\" type=\"date\" value=\"9000-01-01\"", days.Main);
        Assert.Contains("&amp;from=2020-01-01&amp;until=9000-01-01\">CSV", days.Main, StringComparison.Ordinal);
        Assert.Contains("asked for pull on acme/app", days.Text, StringComparison.Ordinal);
        Assert.Contains("No event is like that.", (await browser.GetAsync($"/audit?account={name}&until=2020-01-01")).Is(200).Text, StringComparison.Ordinal);
        Assert.Empty((await browser.GetAsync("/audit/export?format=jsonl&until=2020-01-01")).Is(200).Html);
        (await browser.GetAsync("/audit?from=yesterday")).Is(400);

        using var maintainer = await server.OpenAsync("maintainer");
        (await maintainer.GetAsync("/audit?namespace=acme")).Is(200);
        Assert.DoesNotContain("\"namespace\":\"mirror\"", (await maintainer.GetAsync("/audit/export?format=jsonl&namespace=acme")).Is(200).Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GarbageCollection_Runs_AndTellsItsEnd_AndADryRunStreamsOrWaits()
    {
        using var browser = await server.OpenAsync();
        var streamed = (await browser.GetAsync("/gc/preview")).Is(200);
        Assert.Contains("href=\"gc/preview?wait\"", streamed.Main, StringComparison.Ordinal);
        Assert.Contains("<blazor-ssr", streamed.Html, StringComparison.Ordinal);
        var waited = (await browser.GetAsync("/gc/preview?wait")).Is(200);
        Assert.Matches("Nothing would go|How many", waited.Text);
        Assert.DoesNotContain("<blazor-ssr", waited.Html, StringComparison.Ordinal);
        Assert.Contains("Begin", (await browser.GetAsync("/gc/preview", ("Sec-Fetch-Site", "cross-site"))).Is(200).Text, StringComparison.Ordinal);

        await browser.FollowAsync(await (await browser.GetAsync("/gc")).SubmitAsync("run"));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while ((await server.Registry.TextsAsync("SELECT detail FROM events WHERE kind = 'gc.run' AND account = 'admin' AND detail LIKE 'done:%'")).Count == 0)
            limit.Token.ThrowIfCancellationRequested();
        Assert.Contains("done:", (await browser.GetAsync("/gc")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Theme_IsRemembered_AndNothingElseIsTaken()
    {
        using var browser = await server.OpenAsync(null);
        var page = await browser.GetAsync("/namespaces");
        Assert.DoesNotContain("data-theme", page.Html, StringComparison.Ordinal);
        var answer = await page.SubmitAsync("theme", ("theme", "dark"));
        Assert.Equal("/namespaces", answer.Location);
        page = await browser.FollowAsync(answer);
        Assert.Contains("<html lang=\"en\" data-theme=\"dark\"", page.Html, StringComparison.Ordinal);
        page = await browser.FollowAsync(await page.SubmitAsync("theme", ("theme", "\"><script>")));
        Assert.Contains("data-theme=\"dark\"", page.Html, StringComparison.Ordinal);
        page = await browser.FollowAsync(await page.SubmitAsync("theme", ("theme", "auto")));
        Assert.DoesNotContain("data-theme", page.Html, StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }
}
