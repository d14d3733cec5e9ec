using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class AccessTokenApiTests(ApiServer server)
{
    [Fact]
    public async Task Token_IsShownOnce_AndWorksAsPasswordAndAsBearer()
    {
        var name = await NewPersonAsync();
        var made = (await server.SendAsync("POST", "/accounts/self/tokens", name, new { name = "laptop", scopes = new[] { "api:*" } })).Is(201);
        var token = made.Text("token")!;
        Assert.Matches("^gantry_pat_[0-9A-Za-z]{38}$", token);
        var listed = (await server.PagesAsync($"/accounts/{name}/tokens", name)).Single().Single();
        Assert.Equal("laptop", listed.GetProperty("name").GetString());
        Assert.DoesNotContain(token, listed.ToString());

        var me = (await server.SendAsync("GET", "/me", ApiServer.Bearer(token))).Is(200);
        Assert.Equal("accessToken", me["login"].GetProperty("method").GetString());
        Assert.Equal("api:*", me["login"].GetProperty("scopes")[0].GetString());
        (await server.SendAsync("GET", "/me", ApiServer.Basic(name, token))).Is(200);
        (await server.SendAsync("GET", "/me", ApiServer.Basic("stan", token))).Is(401);
        var recorded = (await server.SendAsync("GET", $"/events?kind=access-token.create&account={name}")).Is(200)["items"][0];
        Assert.DoesNotContain(token, recorded.ToString());
    }

    [Fact]
    public async Task Token_EndsAfter90DaysUnlessItIsSaid()
    {
        var name = await NewPersonAsync();
        var created = (await MakeAsync(name, new { name = "usual", scopes = All })).Is(201);
        Assert.InRange((created["expiresAt"].GetDateTimeOffset() - created["createdAt"].GetDateTimeOffset()).TotalDays, 89.9, 90.1);
        Assert.Equal(JsonValueKind.Null, (await MakeAsync(name, new { name = "never", scopes = All, expiresAt = (string?)null })).Is(201)["expiresAt"].ValueKind);
        var week = (await MakeAsync(name, new { name = "week", scopes = All, expiresInDays = 7 })).Is(201);
        Assert.InRange((week["expiresAt"].GetDateTimeOffset() - week["createdAt"].GetDateTimeOffset()).TotalDays, 6.9, 7.1);
        var until = (await MakeAsync(name, new { name = "until", scopes = All, expiresAt = "2033-01-02T03:04:05+02:00" })).Is(201);
        Assert.Equal(new DateTimeOffset(2033, 1, 2, 1, 4, 5, TimeSpan.Zero), until["expiresAt"].GetDateTimeOffset());
    }

    [Theory]
    [InlineData("{\"name\":\"x\",\"scopes\":[\"*\"],\"expiresAt\":\"2001-01-01T00:00:00Z\"}", "expiresAt")]
    [InlineData("{\"name\":\"x\",\"scopes\":[\"*\"],\"expiresAt\":\"2999-01-01T00:00:00Z\"}", "expiresAt")]
    [InlineData("{\"name\":\"x\",\"scopes\":[\"*\"],\"expiresAt\":\"2033-01-01\"}", "expiresAt")]
    [InlineData("{\"name\":\"x\",\"scopes\":[\"*\"],\"expiresAt\":\"2033-01-01T00:00:00\"}", "expiresAt")]
    [InlineData("{\"name\":\"x\",\"scopes\":[\"*\"],\"expiresAt\":null,\"expiresInDays\":1}", "expiresInDays")]
    [InlineData("{\"name\":\"x\",\"scopes\":[\"*\"],\"expiresInDays\":0}", "expiresInDays")]
    [InlineData("{\"name\":\"x\",\"scopes\":[\"*\"],\"expiresInDays\":1.5}", "expiresInDays")]
    [InlineData("{\"name\":\"x\",\"scopes\":[]}", "scopes")]
    [InlineData("{\"name\":\"x\",\"scopes\":[\"repository:a:fly\"]}", "scopes")]
    [InlineData("{\"name\":\"x\",\"scopes\":[\"api:*\\u0000\"]}", "scopes")]
    [InlineData("{\"name\":\"\",\"scopes\":[\"*\"]}", "name")]
    public async Task Token_WithAFault_IsRefused(string body, string fault)
    {
        var content = new StringContent(body, MediaTypeHeaderValue.Parse("application/json"));
        Assert.Contains(fault, (await server.SendAsync("POST", "/accounts/self/tokens", "stan", content)).Is(400).Faults);
    }

    [Fact]
    public async Task LimitedToken_MakesNoOther_AndNothingElseThatGivesPower()
    {
        var admin = server.NewName("admin");
        await server.AddPersonAsync(admin, new { isAdministrator = true });
        var limited = ApiServer.Bearer(await server.NewTokenAsync("self", admin, "api:*", "repository:*:pull"));
        (await server.SendAsync("GET", "/accounts", limited)).Is(200);
        (string Method, string Path, object Body)[] powers =
        [
            ("POST", "/accounts/self/tokens", new { name = "x", scopes = new[] { "repository:*:pull" } }),
            ("POST", "/accounts", new { name = server.NewName("minion"), isAdministrator = true }),
            ("PATCH", "/accounts/stan", new { isAdministrator = true }),
            ("PUT", "/accounts/stan/password", new { password = "12345678" }),
        ];
        foreach (var (method, path, body) in powers)
            Assert.Contains("scopes are *", (await server.SendAsync(method, path, limited, body)).Is(403).Text("detail"));
        var whole = ApiServer.Bearer(await server.NewTokenAsync("self", admin, "*"));
        (await server.SendAsync("POST", "/accounts/self/tokens", whole, powers[0].Body)).Is(201);
    }

    [Fact]
    public async Task Token_MadeByAToken_DoesNotOutliveIt()
    {
        var name = await NewPersonAsync();
        var parent = (await MakeAsync(name, new { name = "parent", scopes = All, expiresInDays = 7 })).Is(201);
        var who = ApiServer.Bearer(parent.Text("token")!);
        Assert.Equal(parent["expiresAt"].GetDateTimeOffset(), (await MakeAsync(who, new { name = "child", scopes = All })).Is(201)["expiresAt"].GetDateTimeOffset());
        Assert.Equal(["expiresAt"], (await MakeAsync(who, new { name = "child", scopes = All, expiresAt = (string?)null })).Is(400).Faults);
        Assert.Equal(["expiresInDays"], (await MakeAsync(who, new { name = "child", scopes = All, expiresInDays = 8 })).Is(400).Faults);
        (await MakeAsync(who, new { name = "child", scopes = All, expiresInDays = 6 })).Is(201);
    }

    [Fact]
    public async Task TokensOfOthers_AreNobodysBusiness_WhetherTheyExistOrNot()
    {
        var name = await NewPersonAsync();
        foreach (var (method, path, body) in new (string, string, object?)[]
        {
            ("GET", "tokens", null), ("POST", "tokens", new { name = "x", scopes = All }), ("DELETE", "tokens/1", null), ("PUT", "password", new { }),
        })
        {
            var one = (await server.SendAsync(method, $"/accounts/{name}/{path}", "stan", body)).Is(403);
            var other = (await server.SendAsync(method, $"/accounts/nobody-here/{path}", "stan", body)).Is(403);
            Assert.Equal(one.Text("detail"), other.Text("detail"));
        }

        (await server.SendAsync("GET", $"/accounts/{name}/tokens")).Is(200);
        (await server.SendAsync("GET", "/accounts/nobody-here/tokens")).Is(404);
    }

    [Fact]
    public async Task Token_ThatIsRevoked_EndsAtOnce_WithTheBearerTokensMadeFromIt()
    {
        var ns = await server.NewNamespaceAsync();
        var writer = "writer";
        var made = (await MakeAsync(writer, new { name = "ci", scopes = All })).Is(201);
        using var client = server.Server.Client(writer, made.Text("token")!);
        using var reply = JsonDocument.Parse(await client.GetStringAsync($"/token?scope=repository:{ns}/app:pull,push"));
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", reply.RootElement.GetProperty("token").GetString());
        using var before = await client.PostAsync($"/v2/{ns}/app/blobs/uploads/", null);
        Assert.Equal(HttpStatusCode.Accepted, before.StatusCode);

        (await server.SendAsync("DELETE", $"/accounts/{writer}/tokens/{made["id"]}", "stan")).Is(403);
        (await server.SendAsync("DELETE", made.Header("Location")!, writer)).Is(204);
        using var after = await client.PostAsync($"/v2/{ns}/app/blobs/uploads/", null);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
        (await server.SendAsync("GET", "/me", ApiServer.Bearer(made.Text("token")!))).Is(401);
        (await server.SendAsync("DELETE", made.Header("Location")!, writer)).Is(404);
    }

    [Fact]
    public async Task List_PagesToTheEnd_UpToTheMostTokensThereMayBe()
    {
        var name = await NewPersonAsync();
        for (var i = 0; i < 100; i++) (await MakeAsync(name, new { name = $"t{i}", scopes = All })).Is(201);
        (await MakeAsync(name, new { name = "one more", scopes = All })).Is(409);
        Assert.Equal([40, 40, 20], (await server.PagesAsync("/accounts/self/tokens?limit=40", name)).Select(page => page.Count));
    }

    private static readonly string[] All = ["*"];

    private Task<Answer> MakeAsync(string who, object body) => server.SendAsync("POST", "/accounts/self/tokens", who, body);

    private async Task<string> NewPersonAsync()
    {
        var name = server.NewName("person");
        await server.AddPersonAsync(name);
        return name;
    }
}
