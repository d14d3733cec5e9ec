using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Gantry.Core.Browse;
using Gantry.Oci;
using Gantry.TestKit;
using Npgsql;

namespace Gantry.Server.Tests.Ui;

/// <summary>What deleting would free is told first; what was deleted comes back.</summary>
[Collection(typeof(PageCollection))]
public sealed class DeletePageTests(PageServer server)
{
    [Fact]
    public async Task Tag_IsDeleted_AndRestored()
    {
        var (repository, digest) = await NewImageAsync();
        using var browser = await server.OpenAsync("maintainer");
        var page = (await browser.GetAsync($"/delete/{repository}:v1")).Is(200);
        Assert.Contains("The tag alone goes.", page.Text, StringComparison.Ordinal);
        Assert.Contains("Frees nothing", page.Text, StringComparison.Ordinal);
        var after = await browser.FollowAsync(await page.SubmitAsync("delete"));
        Assert.Contains("The tag v1 is deleted.", after.Text, StringComparison.Ordinal);
        (await browser.GetAsync($"/delete/{repository}:v1")).Is(404);

        var deleted = (await browser.GetAsync($"/deleted/{repository}")).Is(200);
        Assert.Contains($"title=\"{digest}\"", deleted.Main, StringComparison.Ordinal);
        var back = await browser.FollowAsync(await deleted.SubmitAsync("restore", ("what", deleted.Button("restore", "what", "<strong>v1</strong>"))));
        Assert.Contains("The tag is restored", back.Text, StringComparison.Ordinal);
        Assert.Contains("Nothing was deleted lately.", back.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(repository, "v1"));
    }

    [Fact]
    public async Task Tag_ThatMovedMeanwhile_StaysWhereItIs()
    {
        var (repository, _) = await NewImageAsync();
        using var browser = await server.OpenAsync("maintainer");
        var page = (await browser.GetAsync($"/delete/{repository}:v1")).Is(200);
        using var client = server.Registry.Client();
        await client.PushImageAsync(repository, "v1", "moved"u8.ToArray());
        Assert.Contains("was moved since", (await page.SubmitAsync("delete")).Is(409).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(repository, "v1"));
    }

    [Fact]
    public async Task Image_SaysWhatItFrees_GoesWithItsTags_AndComesBackWithThem()
    {
        var (repository, digest) = await NewImageAsync(new byte[3 * 1024 * 1024]);
        using var client = server.Registry.Client();
        await client.PushImageAsync(repository, "also", new byte[3 * 1024 * 1024]);
        using var browser = await server.OpenAsync("maintainer");
        var page = (await browser.GetAsync($"/delete/{repository}@{digest}")).Is(200);
        Assert.Matches("Frees 3\\.00 MiB in [12] blobs? and 1 manifest", page.Text);
        Assert.Contains("<code class=\"badge\">also</code>", page.Main, StringComparison.Ordinal);
        await browser.FollowAsync(await page.SubmitAsync("delete"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(repository, "also"));

        var deleted = (await browser.GetAsync($"/deleted/{repository}")).Is(200);
        await browser.FollowAsync(await deleted.SubmitAsync("restore", ("what", $"manifest:{digest}")));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(repository, "also"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(repository, "v1"));
    }

    [Fact]
    public async Task Image_ThatAnIndexHolds_IsNotOffered()
    {
        var (repository, digest) = await NewImageAsync();
        using var client = server.Registry.Client();
        var index = await client.PushManifestAsync(repository, "all",
            $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{digest}}","size":{{await SizeAsync(client, repository, digest)}}}]}""",
            MediaTypes.OciIndex);
        using var browser = await server.OpenAsync("maintainer");
        var page = (await browser.GetAsync($"/delete/{repository}@{digest}")).Is(200);
        Assert.Contains($"href=\"delete/{repository}@{index}\"", page.Main, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"delete\"", page.Main, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Repository_GoesWhole_WhenItsNameIsTyped_AndComesBackWhole()
    {
        var (repository, _) = await NewImageAsync(RandomNumberGenerator.GetBytes(2 * 1024 * 1024));
        using var client = server.Registry.Client();
        await client.PushImageAsync(repository, "v2", "another"u8.ToArray());
        using var browser = await server.OpenAsync("maintainer");
        var page = (await browser.GetAsync($"/delete/{repository}?wait")).Is(200);
        Assert.Contains("Frees 2.00 MiB", page.Text, StringComparison.Ordinal);
        Assert.Contains("2 tags and 2 manifests go.", page.Text, StringComparison.Ordinal);
        Assert.Contains("<blazor-ssr", (await browser.GetAsync($"/delete/{repository}")).Is(200).Html, StringComparison.Ordinal);
        Assert.Contains("not its name", (await page.SubmitAsync("delete", ("name", "acme"))).Is(400).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(repository, "v2"));

        var gone = await browser.FollowAsync(await page.SubmitAsync("delete", ("name", repository)));
        Assert.Contains("This repository has no tags.", gone.Text, StringComparison.Ordinal);
        var back = await browser.FollowAsync(await (await browser.GetAsync($"/deleted/{repository}")).SubmitAsync("restore", ("what", "all")));
        Assert.Contains("2 manifests and 2 tags are restored.", back.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(repository, "v1"));
    }

    [Fact]
    public async Task Usage_TellsOwn_Shared_AndReclaimable()
    {
        var (repository, _) = await NewImageAsync(new byte[1024 * 1024], "only here"u8.ToArray());
        using var client = server.Registry.Client();
        await client.PushImageAsync($"{repository}-twin", "v1", new byte[1024 * 1024]);
        using var browser = await server.OpenAsync("maintainer");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        PageAnswer page;
        // Its own is what the twin does not have: counted once more when that was pushed.
        while (!Regex.IsMatch((page = (await browser.GetAsync($"/usage/{repository}?wait")).Is(200)).Text, "1\\.00 MiB Shared with others|Shared with others 1\\.00 MiB"))
            limit.Token.ThrowIfCancellationRequested();
        Assert.Contains($"href=\"delete/{repository}\"", page.Main, StringComparison.Ordinal);
        var streamed = (await browser.GetAsync($"/usage/{repository}")).Is(200);
        Assert.Contains("<blazor-ssr", streamed.Html, StringComparison.Ordinal);
        Assert.Contains($"href=\"usage/{repository}?wait\"", streamed.Main, StringComparison.Ordinal);
        Assert.Contains($"href=\"usage/{repository}\" aria-current=\"page\" data-plain", streamed.Main, StringComparison.Ordinal);
        using var reader = await server.OpenAsync("reader");
        Assert.DoesNotContain("href=\"delete/", (await reader.GetAsync($"/usage/{repository}")).Is(200).Main, StringComparison.Ordinal);
    }

    /// <summary>What the manifests of another repository needed has no event here, and no count is due: the page counts when it is asked.</summary>
    [Fact]
    public async Task Usage_IsExact_WhereAnotherRepositoryStoppedNeedingABlob()
    {
        var (here, there) = ($"acme/{server.NewName("links")}", $"acme/{server.NewName("needs")}");
        using var client = server.Registry.Client();
        var blob = RandomNumberGenerator.GetBytes(2 * 1024 * 1024);
        var digest = await client.PushImageAsync(there, "v1", blob);
        await client.PushBlobAsync(here, blob);
        var expected = (await server.Registry.Get<Usage>().OfRepositoryAsync(RepositoryName.Parse(here), default))!;
        Assert.Equal(((long)blob.Length, 0L), (expected.Size, expected.Reclaimable));
        // As a count leaves it, that nothing here has made stale.
        await using var database = NpgsqlDataSource.Create(server.Registry.ConnectionString);
        await using var counted = database.CreateCommand(
            $"""
             INSERT INTO repository_statistics (repository_id, size, own, counted_at, stale_since, count_at)
             SELECT id, {blob.Length}, 0, now(), NULL, now() + interval '1 hour' FROM repositories WHERE name = '{here}'
             ON CONFLICT (repository_id) DO UPDATE SET size = excluded.size, own = 0, reclaimable = 0, counted_at = now(), count_at = excluded.count_at
             """);
        await counted.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        using var browser = await server.OpenAsync("maintainer");
        Assert.Contains("Reclaimable 0 B", (await browser.GetAsync($"/usage/{here}?wait")).Is(200).Text, StringComparison.Ordinal);

        using (var gone = await client.DeleteAsync($"/v2/{there}/manifests/{digest}")) Assert.Equal(HttpStatusCode.Accepted, gone.StatusCode);
        var page = (await browser.GetAsync($"/usage/{here}?wait")).Is(200);
        Assert.Contains("Reclaimable 2.00 MiB", page.Text, StringComparison.Ordinal);
        Assert.Contains("Shared with others 2.00 MiB", page.Text, StringComparison.Ordinal);
        Assert.Matches("Reclaimable</dt><dd>(<!--bl:[0-9]+-->)?<span class=\"number\" title=\"2,097,152 bytes\"", (await browser.GetAsync($"/usage/{here}")).Is(200).Html);
    }

    [Theory]
    [InlineData("writer", "/delete/acme/app:v1")]
    [InlineData("writer", "/delete/acme/app")]
    [InlineData("reader", "/deleted/acme/app")]
    public async Task Pages_ForOthers_AreRefused(string account, string path)
    {
        using var browser = await server.OpenAsync(account);
        Assert.Contains("This needs the right to", (await browser.GetAsync(path)).Is(403).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/delete/acme/app:none")]
    [InlineData("/delete/acme/app@sha256:0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("/delete/acme/app@nonsense")]
    [InlineData("/delete/acme/none")]
    [InlineData("/deleted/acme/none")]
    [InlineData("/usage/acme/none")]
    [InlineData("/usage/acme/app:v1")]
    public async Task Pages_OfWhatIsNotThere_AreNone(string path)
    {
        using var browser = await server.OpenAsync();
        (await browser.GetAsync(path)).Is(404);
    }

    private async Task<(string Repository, Digest Digest)> NewImageAsync(params byte[][] layers)
    {
        var repository = $"acme/{server.NewName("goes")}";
        using var client = server.Registry.Client();
        return (repository, await client.PushImageAsync(repository, "v1", layers.Length == 0 ? ["x"u8.ToArray()] : layers));
    }

    private async Task<HttpStatusCode> StatusAsync(string repository, string tag)
    {
        using var client = server.Registry.Client();
        using var answer = await client.GetAsync($"/v2/{repository}/manifests/{tag}");
        return answer.StatusCode;
    }

    private static async Task<int> SizeAsync(HttpClient client, string repository, Digest digest) =>
        (await client.GetByteArrayAsync($"/v2/{repository}/manifests/{digest}")).Length;
}
