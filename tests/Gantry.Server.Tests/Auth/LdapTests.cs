using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Gantry.Core.Access;
using Gantry.Server.Tests.Ui;
using Gantry.TestKit;
using Npgsql;

namespace Gantry.Server.Tests.Auth;

/// <summary>People of a real directory at the real server, the way docker asks for them.</summary>
[Trait("Speed", "Slow")]
public sealed class LdapTests
{
    private const string Scopes = "/token?service=gantry&scope=repository:acme/app:pull,push";

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Group_WithARole_GivesItToItsMembers_UntilTheyLeaveIt()
    {
        await using var slapd = await SlapdServer.StartAsync();
        slapd.AddPerson("jane");
        slapd.AddPerson("john");
        slapd.AddGroup("dev", SlapdServer.PersonDn("jane"));
        await using var server = await RegistryServer.StartAsync(SettingsOf(slapd));
        await server.AddNamespaceAsync("acme");
        await server.AddGroupRoleAsync("acme", "ldap/dev", NamespaceRole.Writer);

        var token = await TokenAsync(server, "jane");
        Assert.Equal(HttpStatusCode.Accepted, await PushAsync(server, token));
        Assert.Equal(HttpStatusCode.Unauthorized, await PushAsync(server, await TokenAsync(server, "john")));

        slapd.SetMembers("dev", SlapdServer.PersonDn("john"));
        // A server started anew remembers no login.
        await server.RestartAsync(SettingsOf(slapd));
        Assert.Equal(HttpStatusCode.Unauthorized, await PushAsync(server, await TokenAsync(server, "jane")));
        Assert.Equal(HttpStatusCode.Unauthorized, await PushAsync(server, token));
        Assert.Equal(HttpStatusCode.Accepted, await PushAsync(server, await TokenAsync(server, "john")));

        Assert.Equal(
            "LDAP: ldap, subject",
            await ScalarAsync(server, "SELECT DISTINCT left(detail, 19) FROM events WHERE kind = 'login' AND account IN ('jane', 'john')"));
    }

    [Fact]
    public async Task Administrators_AreThoseOfTheirGroup()
    {
        await using var slapd = await SlapdServer.StartAsync();
        slapd.AddPerson("chief");
        slapd.AddPerson("jane");
        slapd.AddGroup("chiefs", SlapdServer.PersonDn("chief"));
        await using var server = await RegistryServer.StartAsync([.. SettingsOf(slapd), "Ldap:AdministratorGroups:0=chiefs"]);

        Assert.Equal(HttpStatusCode.Accepted, await PushAsync(server, await TokenAsync(server, "chief")));
        Assert.Equal(HttpStatusCode.Unauthorized, await PushAsync(server, await TokenAsync(server, "jane")));
    }

    [Fact]
    public async Task DirectoryThatIsGone_Is503ForItsPeople_AndNothingToOthers()
    {
        await using var slapd = await SlapdServer.StartAsync();
        slapd.AddPerson("jane");
        await using var server = await RegistryServer.StartAsync(SettingsOf(slapd));
        await slapd.StopAsync();

        using var jane = server.Client("jane", SlapdServer.Password);
        foreach (var path in new[] { Scopes, "/v2/" })
        {
            using var refused = await jane.GetAsync(path);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter);
            Assert.Contains("LDAP", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        using var browser = new PageBrowser(server.Address);
        var page = await (await browser.GetAsync("/signin")).SubmitAsync("signin", ("name", "jane"), ("password", SlapdServer.Password));
        page.IsToBeSentAgain(503);
        Assert.Contains("value=\"jane\"", page.Main, StringComparison.Ordinal);

        using var admin = server.Client();
        using var response = await admin.GetAsync(Scopes);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private static string[] SettingsOf(SlapdServer slapd) => [.. slapd.Settings.Select(pair => $"{pair.Key}={pair.Value}")];

    private static async Task<string> TokenAsync(RegistryServer server, string name)
    {
        using var client = server.Client(name, SlapdServer.Password);
        using var response = await client.GetAsync(Scopes);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, body);
        return JsonDocument.Parse(body).RootElement.GetProperty("token").GetString()!;
    }

    private static async Task<HttpStatusCode> PushAsync(RegistryServer server, string token)
    {
        using var client = server.Client(account: null);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await client.PostAsync("/v2/acme/app/blobs/uploads/", content: null);
        return response.StatusCode;
    }

    private static async Task<string?> ScalarAsync(RegistryServer server, string sql)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync();
#pragma warning disable CA2100 // statements of the tests
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        return (string?)await command.ExecuteScalarAsync();
    }
}
