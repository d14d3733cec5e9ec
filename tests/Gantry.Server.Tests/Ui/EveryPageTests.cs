using System.Text.RegularExpressions;
using Gantry.Core.Access;
using Gantry.Server.Ui;
using Gantry.TestKit;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Gantry.Server.Tests.Ui;

/// <summary>What holds for all pages there are: they are found in the routes, so that a new one is among them.</summary>
[Collection(typeof(PageCollection))]
public sealed partial class EveryPageTests(PageServer server)
{
    private List<RouteEndpoint> Pages => [.. server.Registry.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        .Where(endpoint => endpoint.Metadata.GetMetadata<ComponentTypeMetadata>() is not null)];

    private List<string> Paths => [.. Pages.Select(page => "/" + OfATag().Replace(page.RoutePattern.RawText!.TrimStart('/'), "$1/acme/app:v1")
        .Replace("{*Name}", "acme/app", StringComparison.Ordinal)
        .Replace("{Ns}", "acme", StringComparison.Ordinal).Replace("{Robot}", "robot.acme.ci", StringComparison.Ordinal)
        .Replace("{Account}", "anna", StringComparison.Ordinal)
        .Replace("{Id}", $"{server.Webhook}", StringComparison.Ordinal).Replace("{Delivery}", $"{server.Delivery}", StringComparison.Ordinal))];

    [Fact]
    public void Pages_SayWhatTheyNeed()
    {
        Assert.True(Pages.Count > 15);
        Assert.All(Pages, page => Assert.NotNull(page.Metadata.GetMetadata<NeedsAttribute>()));
    }

    [Fact]
    public async Task Pages_ForAnAdministrator_AreSafeAndWellFormed()
    {
        using var browser = await server.OpenAsync();
        foreach (var path in Paths.Where(path => path != "/signin"))
        {
            // A path that leads to a directory leads on to its page.
            var page = await browser.GetAsync(path);
            Check((page.Status == System.Net.HttpStatusCode.SeeOther ? await browser.FollowAsync(page) : page).Is(200));
        }

        using var stranger = await server.OpenAsync(null);
        Check((await stranger.GetAsync("/signin")).Is(200));
        Check((await stranger.GetAsync("/nothing/of/the/kind")).Is(404));
        Check((await browser.GetAsync("/repositories/acme/none")).Is(404));
        using var reader = await server.OpenAsync("reader");
        Check((await reader.GetAsync("/accounts")).Is(403));
    }

    [Fact]
    public async Task FirstVisit_IsSmall()
    {
        using var browser = await server.OpenAsync();
        var page = await browser.GetAsync("/");
        var files = Regex.Matches(page.Html, "(?:href|src)=\"(assets/[^\"#]*)").Select(match => match.Groups[1].Value).Distinct().ToList();
        Assert.Equal(4, files.Count);
        var bytes = page.Html.Length;
        foreach (var file in files)
        {
            var answer = (await browser.GetAsync($"/{file}", ("Accept-Encoding", "gzip, br"))).Is(200);
            Assert.Equal("public, max-age=31536000, immutable", answer.Headers["Cache-Control"]);
            Assert.Equal("br", answer.Headers["Content-Encoding"]);
            bytes += int.Parse(answer.Headers["Content-Length"], System.Globalization.CultureInfo.InvariantCulture);
        }

        Assert.InRange(bytes, 1, 50_000);
        (await browser.GetAsync($"/{Regex.Replace(files[0], "\\.[0-9a-f]{12}\\.", ".000000000000.")}")).Is(404);
    }

    [Fact]
    public async Task NamesAndLabels_ThatAreHostile_AreTextAlone()
    {
        const string Hostile = "<img src=x onerror=alert(1)>\"'&<script>";
        var name = server.NewName("evil");
        await server.Registry.CreateAccountAsync(name, RegistryServer.Password, new AccountSettings { DisplayName = Hostile, Email = Hostile });
        await server.Registry.AddGroupRoleAsync("acme", $"ldap/{Hostile}", NamespaceRole.Reader);
        using var client = server.Registry.Client(name);
        client.DefaultRequestHeaders.UserAgent.Clear();
        client.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", Hostile);
        using (await client.GetAsync("/v2/acme/app/tags/list")) { }

        using var own = await server.OpenAsync(name);
        var made = (await (await own.GetAsync("/account/tokens")).SubmitAsync("make", ("name", Hostile), ("scope", "all"), ("days", "7"))).Is(200);
        var again = (await (await own.GetAsync("/account/tokens")).SubmitAsync("make", ("name", "x"), ("scope", "some"), ("pattern", Hostile), ("days", "7"))).Is(400);
        using var browser = await server.OpenAsync();
        PageAnswer[] pages =
        [
            made, again, await own.GetAsync("/account"), await browser.GetAsync("/accounts"), await browser.GetAsync($"/accounts/{name}"),
            await browser.GetAsync("/namespaces/acme/members"), await browser.GetAsync($"/audit?account={name}"),
            await browser.GetAsync($"/?q={Uri.EscapeDataString("<script>")}"), await browser.GetAsync($"/audit?repository={Uri.EscapeDataString(Hostile)}"),
            await browser.GetAsync($"/repositories/acme/app?filter={Uri.EscapeDataString("\"><script>")}"),
        ];
        foreach (var page in pages)
        {
            Check(page);
            Assert.DoesNotContain("<img", page.Html, StringComparison.Ordinal);
            Assert.Contains("&lt;", page.Main, StringComparison.Ordinal);
        }
    }

    internal static void Check(PageAnswer page)
    {
        Assert.Equal(PageGuard.Policy, page.Headers["Content-Security-Policy"]);
        Assert.DoesNotContain("unsafe", PageGuard.Policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", page.Headers["X-Content-Type-Options"]);
        Assert.Equal("DENY", page.Headers["X-Frame-Options"]);
        Assert.Equal("same-origin", page.Headers["Referrer-Policy"]);
        Assert.Contains("no-store", page.Headers["Cache-Control"], StringComparison.Ordinal);

        // No script but ours, no style but ours, none in an attribute.
        Assert.Equal(["<script src=\"assets/gantry."], Scripts().Matches(page.Html).Select(match => match.Value));
        Assert.DoesNotContain("<style", page.Html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotMatch(Inline(), Values().Replace(page.Html, "\"\""));
        Assert.DoesNotMatch("(?:href|src|action)\\s*=\\s*\"\\s*(?:javascript|data):", page.Html);

        Assert.Single(Regex.Matches(page.Html, "<h1[ >]"));
        Assert.Single(Regex.Matches(page.Html, "<main[ >]"));
        Assert.Matches("<title>[^<]+ · Gantry</title>", page.Html);
        Assert.Contains("<html lang=\"en\"", page.Html, StringComparison.Ordinal);
        Assert.Equal(Regex.Count(page.Html, "<table"), Regex.Count(page.Html, "<caption"));
        Assert.DoesNotMatch("<th(?![^>]*scope=)[ >]", page.Html);
        var ids = Regex.Matches(page.Html, " id=\"([^\"]*)\"").Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(ids.Distinct(), ids);
        foreach (Match field in Fields().Matches(page.Html))
            Assert.Contains($"for=\"{field.Groups["id"].Value}\"", page.Html, StringComparison.Ordinal);
        foreach (var form in Regex.Matches(page.Html, "<form[^>]*method=\"post\".*?</form>", RegexOptions.Singleline).Select(match => match.Value))
            Assert.Contains("__RequestVerificationToken", form, StringComparison.Ordinal);
    }

    // Pages about a tag; those about a digest take a tag too.
    [GeneratedRegex(@"^(history|images|files|file|packages|documents)/\{\*Name\}$")]
    private static partial Regex OfATag();

    [GeneratedRegex("<script[^>]*?(?:assets/gantry\\.|>)")]
    private static partial Regex Scripts();

    // Inside of tags alone, and not in what is quoted there: text may say what it likes.
    [GeneratedRegex("<[a-z][^<>]*?\\s(?:on[a-z]+|style)\\s*=", RegexOptions.IgnoreCase)]
    private static partial Regex Inline();

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Values();

    [GeneratedRegex("<(?:input|select|textarea)[^>]* id=\"(?<id>[^\"]*)\"", RegexOptions.ExplicitCapture)]
    private static partial Regex Fields();
}
