using System.Net;
using System.Text.RegularExpressions;
using Gantry.Server.Tests.Auth;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Ui;

[Collection(typeof(PageCollection))]
public sealed class TagHistoryPageTests(PageServer server)
{
    [Fact]
    public async Task Tag_ThatMoved_AndWasDeleted_ComesBack()
    {
        var repository = $"acme/{server.NewName("moved")}";
        using var client = server.Registry.Client();
        var first = await client.PushImageAsync(repository, "v1", "first"u8.ToArray());
        var second = await client.PushImageAsync(repository, "v1", "second"u8.ToArray());
        using var browser = await server.OpenAsync("writer");

        var page = (await browser.GetAsync($"/history/{repository}:v1")).Is(200);
        var back = await page.SubmitAsync("restore", ("move", page.Button("restore", "move", ">–</span>")));
        Assert.Contains($"points at {first} again", (await browser.FollowAsync(back)).Text, StringComparison.Ordinal);
        Assert.Equal(first.ToString(), await DigestAsync(client, repository));

        // The other image goes with its history's only way to it, and comes back whole.
        using var deleted = await client.DeleteAsync($"/v2/{repository}/manifests/{second}");
        Assert.Equal(HttpStatusCode.Accepted, deleted.StatusCode);
        page = (await browser.GetAsync($"/history/{repository}:v1")).Is(200);
        var restored = await page.SubmitAsync("restore", ("move", page.Button("restore", "move", "Restore with its image")));
        Assert.Equal(HttpStatusCode.SeeOther, restored.Status);
        Assert.Equal(second.ToString(), await DigestAsync(client, repository));
        Assert.Contains("writer", (await browser.GetAsync($"/history/{repository}:v1")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tag_ThatIsImmutable_IsNotMoved_AndSaysWhy()
    {
        var repository = $"acme/{server.NewName("kept")}";
        using var client = server.Registry.Client();
        await client.PushImageAsync(repository, "keep-1", "first"u8.ToArray());
        await client.PushImageAsync(repository, "v1", "second"u8.ToArray());
        await server.Registry.ExecuteAsync(
            $"""
             INSERT INTO tag_history (repository_id, name, manifest_digest)
             SELECT t.repository_id, 'keep-1', t.manifest_digest FROM tags t JOIN repositories r ON r.id = t.repository_id
             WHERE r.name = '{repository}' AND t.name = 'v1';
             INSERT INTO tag_history (repository_id, name, manifest_digest)
             SELECT t.repository_id, 'keep-1', t.manifest_digest FROM tags t JOIN repositories r ON r.id = t.repository_id
             WHERE r.name = '{repository}' AND t.name = 'keep-1'
             """);
        using var browser = await server.OpenAsync("writer");
        var page = (await browser.GetAsync($"/history/{repository}:keep-1")).Is(200);
        var move = Regex.Match(page.Main, "name=\"move\" value=\"([0-9]+)\"").Groups[1].Value;
        var refused = (await page.SubmitAsync("restore", ("move", move))).Is(409);
        Assert.Contains("immutable", refused.Text, StringComparison.Ordinal);
        Assert.Contains($"tell an administrator: request {refused.Headers["X-Request-Id"]}", refused.Text, StringComparison.Ordinal);
        // What was mistyped is no administrator's affair.
        Assert.DoesNotContain("administrator", (await page.SubmitAsync("restore", ("move", "0"))).Is(400).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tabs_AreThoseOfTheTag_OnEveryPage_AndOfNoneThatIsGone()
    {
        var repository = $"acme/{server.NewName("turned")}";
        using var client = server.Registry.Client();
        var digest = await client.PushImageAsync(repository, "v1", "turned"u8.ToArray());
        await server.Registry.ExecuteAsync(
            $"""
             INSERT INTO tag_history (repository_id, name, manifest_digest)
             SELECT id, 'v1', CASE WHEN n < 119 THEN 'sha256:' || lpad(n::text, 64, '0') ELSE '{digest}' END FROM repositories, generate_series(1, 119) n WHERE name = '{repository}'
             """);
        using var browser = await server.OpenAsync("reader");
        for (var path = $"/history/{repository}:v1"; path.Length > 0;)
        {
            var page = (await browser.GetAsync(path)).Is(200);
            Assert.Contains($"href=\"images/{repository}:v1\"", page.Main, StringComparison.Ordinal);
            path = Regex.Match(page.Main, "href=\"([^\"]*)\" rel=\"next\"") is { Success: true } link ? $"/{WebUtility.HtmlDecode(link.Groups[1].Value)}" : "";
        }

        using var deleted = await client.DeleteAsync($"/v2/{repository}/manifests/v1");
        Assert.Equal(HttpStatusCode.Accepted, deleted.StatusCode);
        Assert.DoesNotContain($"href=\"images/{repository}:v1\"", (await browser.GetAsync($"/history/{repository}:v1")).Is(200).Main, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_IsNotOfferedToAReader()
    {
        using var browser = await server.OpenAsync("reader");
        var page = (await browser.GetAsync("/history/acme/app:v1")).Is(200);
        Assert.DoesNotContain("id=\"restore\"", page.Main, StringComparison.Ordinal);
    }

    private static async Task<string> DigestAsync(HttpClient client, string repository)
    {
        using var answer = await client.GetAsync($"/v2/{repository}/manifests/v1");
        return answer.Header("Docker-Content-Digest");
    }
}
