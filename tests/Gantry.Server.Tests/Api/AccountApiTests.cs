using System.Net;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Oci;

namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class AccountApiTests(ApiServer server)
{
    [Fact]
    public async Task Account_IsMadeChangedDisabledAndDeleted()
    {
        var name = server.NewName("person");
        var made = (await server.SendAsync("POST", "/accounts", "admin", new
        {
            name, password = ApiServer.Password, createsNamespaces = true, displayName = "A Person", email = "a@example.com",
        })).Is(201);
        Assert.Equal((name, "person", "A Person", "a@example.com"), (made.Text("name"), made.Text("kind"), made.Text("displayName"), made.Text("email")));
        Assert.DoesNotContain("assword", made.Json.ToString());
        (await server.SendAsync("POST", "/accounts", "admin", new { name })).Is(409);

        var changed = (await server.SendAsync("PATCH", $"/accounts/{name}", "admin", new { createsNamespaces = false, email = "b@example.com" })).Is(200);
        Assert.Equal(("A Person", "b@example.com", false), (changed.Text("displayName"), changed.Text("email"), changed["createsNamespaces"].GetBoolean()));
        Assert.Equal(changed.Json.ToString(), (await server.SendAsync("GET", $"/accounts/{name}")).Is(200).Json.ToString());

        (await server.SendAsync("GET", "/me", name)).Is(200);
        (await server.SendAsync("PATCH", $"/accounts/{name}", "admin", new { disabled = true })).Is(200);
        (await server.SendAsync("GET", "/me", name)).Is(401);
        (await server.SendAsync("DELETE", $"/accounts/{name}")).Is(204);
        (await server.SendAsync("GET", $"/accounts/{name}")).Is(404);
        (await server.SendAsync("DELETE", $"/accounts/{name}")).Is(404);
        (await server.SendAsync("PATCH", $"/accounts/{name}", "admin", new { disabled = false })).Is(404);

        var events = (await server.SendAsync("GET", $"/events?account={name}&limit=1000")).Is(200)["items"].EnumerateArray()
            .Select(one => $"{one.GetProperty("kind")} by {one.GetProperty("account")}").Distinct().ToList();
        Assert.Subset(events.ToHashSet(), new HashSet<string> { "account.create by admin", "account.change by admin", "account.delete by admin", $"login by {name}" });
    }

    [Theory]
    [InlineData("GET", "/accounts", null)]
    [InlineData("POST", "/accounts", "{}")]
    [InlineData("GET", "/accounts/admin", null)]
    [InlineData("GET", "/accounts/self", null)]
    [InlineData("GET", "/accounts/nobody-here", null)]
    [InlineData("PATCH", "/accounts/self", "{}")]
    [InlineData("DELETE", "/accounts/self", null)]
    public async Task Accounts_AreForAdministrators(string method, string path, string? body)
    {
        var refusal = (await server.SendAsync(method, path, "may", body is null ? null : new { })).Is(403);
        Assert.Equal("this needs an administrator; may is none", refusal.Text("detail"));
    }

    [Theory]
    [InlineData("self")]
    [InlineData("oidc")]
    [InlineData("robot.a.b")]
    [InlineData("Upper")]
    public async Task Name_ThatIsKeptOrNone_IsRefused(string name) =>
        Assert.Equal(["name"], (await server.SendAsync("POST", "/accounts", "admin", new { name })).Is(400).Faults);

    [Fact]
    public async Task Change_OfNothing_IsRefused() => (await server.SendAsync("PATCH", "/accounts/stan", "admin", new { })).Is(400);

    [Fact]
    public async Task List_PagesToTheEnd_InOrder()
    {
        for (var i = 0; i < 3; i++) await server.AddPersonAsync(server.NewName("listed"));
        var names = (await server.PagesAsync("/accounts?limit=2")).SelectMany(page => page).Select(item => item.GetProperty("name").GetString()!).ToList();
        Assert.Equal(names.Order(StringComparer.Ordinal).Distinct(), names);
        Assert.Subset(names.ToHashSet(), new HashSet<string> { "admin", "may", "stan" });
    }

    [Fact]
    public async Task Password_ChangesOwn_OnlyWithTheCurrentOne()
    {
        var name = server.NewName("person");
        await server.AddPersonAsync(name);
        (await server.SendAsync("PUT", "/accounts/self/password", name, new { password = "another password" })).Is(400);
        (await server.SendAsync("PUT", "/accounts/self/password", name, new { password = "another password", current = "wrong password" })).Is(403);
        var token = await server.NewTokenAsync("self", name, "*");
        (await server.SendAsync("PUT", "/accounts/self/password", name, new { password = "another password", current = token })).Is(403);
        (await server.SendAsync("PUT", $"/accounts/{name}/password", name, new { password = "another password", current = ApiServer.Password })).Is(204);
        (await server.SendAsync("GET", "/me", name)).Is(401);
        (await server.SendAsync("GET", "/me", ApiServer.Basic(name, "another password"))).Is(200);
    }

    [Fact]
    public async Task Password_SetByAnAdministrator_IsMadeUpWhereNoneIsGiven()
    {
        var name = server.NewName("person");
        await server.AddPersonAsync(name);
        var made = (await server.SendAsync("PUT", $"/accounts/{name}/password")).Is(200).Text("password")!;
        (await server.SendAsync("GET", "/me", ApiServer.Basic(name, made))).Is(200);
        (await server.SendAsync("PUT", $"/accounts/{name}/password", "admin", new { password = "1234567" })).Is(400);
        (await server.SendAsync("PUT", $"/accounts/{name}/password", "stan", new { password = "12345678" })).Is(403);
        (await server.SendAsync("PUT", "/accounts/nobody-here/password")).Is(404);
    }

    [Fact]
    public async Task Me_TellsRolesAPageAtATime()
    {
        var name = server.NewName("person");
        await server.AddPersonAsync(name);
        string[] namespaces = [server.NewName("mine"), server.NewName("mine"), server.NewName("mine")];
        foreach (var ns in namespaces)
        {
            (await server.SendAsync("POST", "/namespaces", "admin", new { name = ns })).Is(201);
            (await server.SendAsync("PUT", $"/namespaces/{ns}/members/accounts/{name}", "admin", new { role = "writer" })).Is(204);
        }

        var me = (await server.SendAsync("GET", "/me?limit=2", name)).Is(200);
        Assert.Equal((name, "password"), (me.Text("account"), me["login"].GetProperty("method").GetString()));
        Assert.Equal("*", me["login"].GetProperty("scopes")[0].GetString());
        var rest = (await server.SendAsync("GET", me["roles"].GetProperty("next").GetString()!, name)).Is(200);
        Assert.Equal(namespaces.Order(StringComparer.Ordinal), me["roles"].GetProperty("items").EnumerateArray()
            .Concat(rest["roles"].GetProperty("items").EnumerateArray()).Select(role => role.GetProperty("namespace").GetString()));
        Assert.Equal("writer", me["roles"].GetProperty("items")[0].GetProperty("role").GetString());
    }
}

/// <summary>With a server of its own: these change who its administrators are.</summary>
[Trait("Speed", "Slow")]
public sealed class LastAdministratorTests : IAsyncLifetime
{
    private readonly ApiServer _server = new();

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task LastAdministrator_StaysOne_AndNobodyDeletesHimself()
    {
        (await _server.SendAsync("PATCH", "/accounts/admin", "admin", new { disabled = true })).Is(409);
        (await _server.SendAsync("PATCH", "/accounts/self", "admin", new { isAdministrator = false })).Is(409);
        (await _server.SendAsync("DELETE", "/accounts/admin")).Is(409);

        await _server.AddPersonAsync("second", new { isAdministrator = true });
        (await _server.SendAsync("DELETE", "/accounts/self", "second")).Is(409);
        (await _server.SendAsync("PATCH", "/accounts/second", "admin", new { disabled = true })).Is(200);
        (await _server.SendAsync("PATCH", "/accounts/admin", "admin", new { isAdministrator = false })).Is(409);
        (await _server.SendAsync("PATCH", "/accounts/second", "admin", new { disabled = false })).Is(200);
        (await _server.SendAsync("DELETE", "/accounts/admin", "second")).Is(204);
        (await _server.SendAsync("PATCH", "/accounts/second", "second", new { disabled = true })).Is(409);
        (await _server.SendAsync("PATCH", "/accounts/second", "second", new { displayName = "The Last" })).Is(200);
    }

    [Fact]
    public async Task LastAdministrator_IsDeletedByNobody_NotFromTheConsoleEither()
    {
        var accounts = _server.Get<Accounts>();
        await Assert.ThrowsAsync<OciException>(() => accounts.DeleteAsync(AccountName.Parse("admin"), Actor.Console));
        await _server.AddPersonAsync("second", new { isAdministrator = true });
        Assert.True(await accounts.DeleteAsync(AccountName.Parse("admin"), Actor.Console));
    }

    [Fact]
    public async Task TwoAdministrators_WhoDemoteEachOtherAtOnce_LeaveOne()
    {
        await _server.AddPersonAsync("second");
        for (var round = 0; round < 10; round++)
        {
            (await _server.SendAsync("PATCH", "/accounts/second", "admin", new { isAdministrator = true })).Is(200);
            var answers = await Task.WhenAll(
                _server.SendAsync("PATCH", "/accounts/second", "admin", new { isAdministrator = false }),
                _server.SendAsync("PATCH", "/accounts/admin", "second", new { isAdministrator = false }));
            // One wins; the other is refused as the last one, or was none any more when it asked.
            Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
            if (answers[1].Status == HttpStatusCode.OK)
                (await _server.SendAsync("PATCH", "/accounts/admin", "second", new { isAdministrator = true })).Is(200);
            else
                (await _server.SendAsync("GET", "/accounts", "admin")).Is(200);
        }
    }
}
