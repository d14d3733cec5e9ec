using System.Net;
using Gantry.Server.Tests.Auth;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Ui;

/// <summary>A repository's README, written by its maintainers.</summary>
[Collection(typeof(PageCollection))]
public sealed class ReadmePageTests(PageServer server)
{
    [Fact]
    public async Task Readme_IsSeenFirst_ThenSaved_Shown_AndRemoved()
    {
        var repository = await NewRepositoryAsync();
        using var browser = await server.OpenAsync("maintainer");
        Assert.Contains($"href=\"readme/{repository}\"", (await browser.GetAsync($"/repositories/{repository}")).Main, StringComparison.Ordinal);
        var form = (await browser.GetAsync($"/readme/{repository}")).Is(200);
        var preview = (await form.SubmitAsync("readme", ("markdown", "# Shop\r\n\r\n<b>one</b> *two*"), ("do", "preview"))).Is(200);
        Assert.Contains("<h3>Shop</h3>", preview.Main, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;one&lt;/b&gt; <em>two</em>", preview.Main, StringComparison.Ordinal);
        Assert.Contains("\n# Shop\n", WebUtility.HtmlDecode(preview.Main).ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.DoesNotContain("Shop", (await browser.GetAsync($"/repositories/{repository}")).Main, StringComparison.Ordinal);

        var saved = await browser.FollowAsync(await preview.SubmitAsync("readme", ("markdown", "# Shop\r\n\r\n*two*"), ("do", "save")));
        Assert.Contains("The README is saved.", saved.Text, StringComparison.Ordinal);
        Assert.Contains("<h3>Shop</h3>", saved.Main, StringComparison.Ordinal);
        Assert.Equal(["# Shop\n\n*two*"], await server.Registry.TextsAsync($"SELECT markdown FROM readmes m JOIN repositories r ON r.id = m.repository_id WHERE r.name = '{repository}'"));
        using var reader = await server.OpenAsync("reader");
        var read = (await reader.GetAsync($"/repositories/{repository}")).Is(200);
        Assert.Contains("<h3>Shop</h3>", read.Main, StringComparison.Ordinal);
        Assert.DoesNotContain("href=\"readme/", read.Main, StringComparison.Ordinal);

        var removed = await browser.FollowAsync(await (await browser.GetAsync($"/readme/{repository}")).SubmitAsync("remove"));
        Assert.DoesNotContain("Shop", removed.Main, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readme_ThatSomebodyElseChanged_IsNotOverwrittenUnseen()
    {
        var repository = await NewRepositoryAsync();
        using var one = await server.OpenAsync("maintainer");
        using var other = await server.OpenAsync();
        var mine = await one.GetAsync($"/readme/{repository}");
        await other.FollowAsync(await (await other.GetAsync($"/readme/{repository}")).SubmitAsync("readme", ("markdown", "theirs <i>"), ("do", "save")));

        var refused = (await mine.SubmitAsync("readme", ("markdown", "mine"), ("do", "save"))).Is(409);
        Assert.Contains("Somebody else has written", refused.Text, StringComparison.Ordinal);
        Assert.Contains("theirs &lt;i&gt;</pre>", refused.Main, StringComparison.Ordinal);
        Assert.Matches("<textarea[^>]*>\\s*mine</textarea>", WebUtility.HtmlDecode(refused.Main));
        Assert.Contains("theirs", (await other.GetAsync($"/repositories/{repository}")).Text, StringComparison.Ordinal);

        // Seen now, it may be replaced.
        Assert.Contains("mine", (await one.FollowAsync(await refused.SubmitAsync("readme", ("markdown", "mine"), ("do", "save")))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readme_ThatSomebodyElseChanged_IsNotRemovedUnseen()
    {
        var repository = await NewRepositoryAsync();
        using var one = await server.OpenAsync("maintainer");
        using var other = await server.OpenAsync();
        await one.FollowAsync(await (await one.GetAsync($"/readme/{repository}")).SubmitAsync("readme", ("markdown", "mine"), ("do", "save")));
        var mine = await one.GetAsync($"/readme/{repository}");
        await other.FollowAsync(await (await other.GetAsync($"/readme/{repository}")).SubmitAsync("readme", ("markdown", "theirs"), ("do", "save")));

        var refused = (await mine.SubmitAsync("remove")).Is(409);
        Assert.Contains("Somebody else has written", refused.Text, StringComparison.Ordinal);
        Assert.Contains("theirs</pre>", refused.Main, StringComparison.Ordinal);
        Assert.Contains("theirs", (await other.GetAsync($"/repositories/{repository}")).Text, StringComparison.Ordinal);

        Assert.Contains("The README is removed.", (await one.FollowAsync(await refused.SubmitAsync("remove"))).Text, StringComparison.Ordinal);
        Assert.Contains("is not there any more", (await mine.SubmitAsync("remove")).Is(400).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readme_ThatIsNone_IsNotSaved_AndTheLongestIs()
    {
        var repository = await NewRepositoryAsync();
        using var browser = await server.OpenAsync("maintainer");
        var form = await browser.GetAsync($"/readme/{repository}");
        Assert.Contains("There is nothing to save", (await form.SubmitAsync("readme", ("markdown", " \r\n"), ("do", "save"))).Is(400).Text, StringComparison.Ordinal);
        Assert.Contains("longer than 64 KiB", (await form.SubmitAsync("readme", ("markdown", new string('x', 65_537)), ("do", "save"))).Is(400).Text, StringComparison.Ordinal);
        Assert.Contains("invalid characters", (await form.SubmitAsync("readme", ("markdown", "a\0b"), ("do", "save"))).Is(400).Text, StringComparison.Ordinal);
        var tooLong = (await form.SubmitAsync("readme", ("markdown", new string('x', 300_000)), ("do", "save"))).Is(413);
        Assert.Contains("Too long", tooLong.Text, StringComparison.Ordinal);
        // Three bytes a letter, each sent as three.
        await browser.FollowAsync(await form.SubmitAsync("readme", ("markdown", new string('\u20ac', 21_845)), ("do", "save")));
        (await browser.GetAsync("/readme/acme/none-at-all")).Is(404);
    }

    [Theory]
    [InlineData("writer")]
    [InlineData("reader")]
    public async Task Readme_IsForMaintainers(string account)
    {
        using var browser = await server.OpenAsync(account);
        Assert.Contains("for maintainers of acme", (await browser.GetAsync("/readme/acme/app")).Is(403).Text, StringComparison.Ordinal);
    }

    private async Task<string> NewRepositoryAsync()
    {
        var repository = $"acme/{server.NewName("about")}";
        using var client = server.Registry.Client();
        await client.PushImageAsync(repository, "v1", "x"u8.ToArray());
        return repository;
    }
}
