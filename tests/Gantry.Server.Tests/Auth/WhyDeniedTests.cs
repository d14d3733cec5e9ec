using System.Net;
using System.Text.Json;
using Gantry.Core.Access;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Auth;

/// <summary>Each 401 and 403 says what was asked and granted, by which rule, and carries the request's id.</summary>
[Trait("Speed", "Slow")]
public sealed class WhyDeniedTests : IAsyncLifetime
{
    private const string Password = "alice's password";
    private RegistryServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await RegistryServer.StartAsync();
        await _server.CreateAccountAsync("alice", Password);
        await _server.AddNamespaceAsync("acme");
        await _server.SetRoleAsync("acme", "alice", NamespaceRole.Writer);
        await _server.AddRuleAsync("acme", "acme/prod-*", RuleAudience.Writer, RepositoryActions.Push);
    }

    [Theory]
    [InlineData("acme/app", "DELETE", "asked for delete on acme/app; granted is pull,push (role writer in acme)")]
    [InlineData("acme/prod-web", "POST", "asked for pull,push on acme/prod-web; granted is pull (role writer in acme; rule 1: writer may not push acme/prod-*)")]
    public async Task Denied_ToAMember_NamesRoleAndRule(string repository, string method, string detail)
    {
        using var alice = _server.Client("alice", Password);
        var path = method == "POST" ? $"/v2/{repository}/blobs/uploads/" : $"/v2/{repository}/manifests/v1";
        using var reply = await alice.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));

        Assert.Equal(HttpStatusCode.Forbidden, reply.StatusCode);
        Assert.Equal($"{detail} (request {reply.Header("X-Request-Id")})", await DetailAsync(reply));
    }

    [Fact]
    public async Task Unauthorized_WithoutACredential_SaysWhatIsOpenToAll()
    {
        using var nobody = _server.Client(account: null);
        using var reply = await nobody.GetAsync("/v2/acme/app/tags/list");

        Assert.Equal(
            "asked for pull on acme/app; granted is nothing (without an account one may pull from public namespaces alone) "
            + $"(request {reply.Header("X-Request-Id")})", await DetailAsync(reply));
    }

    [Fact]
    public async Task Unauthorized_WithATokenThatHoldsTooLittle_SaysThatAnotherWouldDo()
    {
        using var alice = _server.Client("alice", Password);
        using var token = JsonDocument.Parse(await alice.GetStringAsync("/token?scope=repository:acme/app:pull"));
        alice.DefaultRequestHeaders.Authorization = new("Bearer", token.RootElement.GetProperty("token").GetString());
        using var reply = await alice.PostAsync("/v2/acme/app/blobs/uploads/", null);

        Assert.Equal(
            "asked for pull,push on acme/app; the token grants pull, and another one can grant it "
            + $"(request {reply.Header("X-Request-Id")})", await DetailAsync(reply));
    }

    [Fact]
    public async Task ATokensRefusal_IsDescribedInTheChallengeToo_WithoutSignsThatClientsTripOver()
    {
        await _server.AddNamespaceAsync("corp");
        const string Group = "corp/\"Größte\" \\ team";
        await _server.AddGroupRoleAsync("corp", Group, NamespaceRole.Reader);
        await _server.SetGroupsAsync("alice", Group);
        using var alice = _server.Client("alice", Password);
        using var token = JsonDocument.Parse(await alice.GetStringAsync("/token?scope=repository:corp/app:pull,push"));
        alice.DefaultRequestHeaders.Authorization = new("Bearer", token.RootElement.GetProperty("token").GetString());
        using var reply = await alice.PostAsync("/v2/corp/app/blobs/uploads/", null);

        Assert.EndsWith(
            ",error=\"insufficient_scope\",error_description=\"asked for pull,push on corp/app; granted is pull "
            + $"(role reader in corp through the group corp/?Gr??te? ? team) (request {reply.Header("X-Request-Id")})\"",
            reply.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task WrongPassword_AtTheTokenEndpoint_CarriesTheRequestsId()
    {
        using var wrong = _server.Client("alice", "wrong password");
        using var reply = await wrong.GetAsync("/token");

        Assert.Equal(HttpStatusCode.Unauthorized, reply.StatusCode);
        Assert.Contains($"request {reply.Header("X-Request-Id")}", await DetailAsync(reply));
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static async Task<string?> DetailAsync(HttpResponseMessage reply)
    {
        using var body = JsonDocument.Parse(await reply.Content.ReadAsStringAsync());
        return body.RootElement.GetProperty("errors")[0].GetProperty("detail").GetString();
    }
}
