namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class MemberApiTests(ApiServer server)
{
    [Fact]
    public async Task Account_GetsARoleAnotherAndNone_AndEachHoldsAtOnce()
    {
        var ns = await server.NewNamespaceAsync();
        var (boss, path) = ("maintainer", $"/namespaces/{ns}/members/accounts/stan");
        (await server.SendAsync("PUT", path, boss, new { role = "reader" })).Is(204);
        (await server.SendAsync("GET", $"/namespaces/{ns}", "stan")).Is(200);
        (await server.SendAsync("GET", $"/namespaces/{ns}/members", "stan")).Is(403);
        (await server.SendAsync("PUT", path, boss, new { role = "maintainer" })).Is(204);
        (await server.SendAsync("GET", $"/namespaces/{ns}/members", "stan")).Is(200);
        (await server.SendAsync("DELETE", path, boss)).Is(204);
        (await server.SendAsync("GET", $"/namespaces/{ns}", "stan")).Is(404);
        (await server.SendAsync("DELETE", path, boss)).Is(404);

        var removed = await server.LastEventAsync("member.remove", ns);
        Assert.Equal((boss, "stan"), (removed.GetProperty("account").GetString(), removed.GetProperty("subject").GetString()));
    }

    [Theory]
    [InlineData("corp/team/devs", "corp/team/devs")]
    [InlineData("corp%2Fteam%2fdevs", "corp/team/devs")]
    [InlineData("corp/Web%20Team", "corp/Web Team")]
    [InlineData("corp/Gr%C3%BCn", "corp/Grün")]
    public async Task Group_KeepsItsNameWhateverIsInIt(string written, string name)
    {
        var ns = await server.NewNamespaceAsync();
        (await server.SendAsync("PUT", $"/namespaces/{ns}/members/groups/{written}", "maintainer", new { role = "writer" })).Is(204);
        var member = (await server.PagesAsync($"/namespaces/{ns}/members")).Single()[^1];
        Assert.Equal((name, "writer"), (member.GetProperty("group").GetString(), member.GetProperty("role").GetString()));
        (await server.SendAsync("DELETE", $"/namespaces/{ns}/members/groups/{written}", "maintainer")).Is(204);
        Assert.Equal(3, (await server.PagesAsync($"/namespaces/{ns}/members")).Single().Count);
    }

    [Theory]
    [InlineData("PUT", "accounts/nobody-here")]
    [InlineData("PUT", "accounts/Upper")]
    [InlineData("DELETE", "accounts/nobody-here")]
    [InlineData("PUT", "groups/without-provider")]
    [InlineData("PUT", "groups/")]
    [InlineData("PUT", "groups/a/%01")]
    [InlineData("DELETE", "groups/a/b")]
    public async Task WhoIsNot_IsNotFound(string method, string who)
    {
        var ns = await server.NewNamespaceAsync();
        (await server.SendAsync(method, $"/namespaces/{ns}/members/{who}", "admin", method == "PUT" ? new { role = "reader" } : null)).Is(404);
    }

    [Theory]
    [InlineData("owner")]
    [InlineData("Reader")]
    [InlineData("3")]
    [InlineData("")]
    public async Task Role_ThatIsNone_IsRefused(string role)
    {
        var ns = await server.NewNamespaceAsync();
        (await server.SendAsync("PUT", $"/namespaces/{ns}/members/accounts/stan", "admin", new { role })).Is(400);
    }

    [Fact]
    public async Task List_PagesToTheEnd()
    {
        var ns = await server.NewNamespaceAsync();
        for (var i = 0; i < 4; i++)
            (await server.SendAsync("PUT", $"/namespaces/{ns}/members/groups/corp/{i}", "admin", new { role = "reader" })).Is(204);
        var pages = await server.PagesAsync($"/namespaces/{ns}/members?limit=2");
        Assert.Equal([2, 2, 2, 1], pages.Select(page => page.Count));
        Assert.Equal(7, pages.SelectMany(page => page).Select(member => member.GetProperty("id").GetInt64()).Distinct().Count());
    }
}
