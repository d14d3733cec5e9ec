using Gantry.Core.Access;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Admin;

/// <summary><c>gantry-server admin</c> as processes of their own, beside a server that runs on the same database.</summary>
[Trait("Speed", "Slow")]
public sealed class AdminVerbsTests : IAsyncLifetime
{
    private RegistryServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await RegistryServer.StartAsync();

    [Fact]
    public async Task ANamespaceWithARobot_IsMadeAndWorksAtOnce()
    {
        await DoAsync("namespace", "create", "acme");
        await DoAsync("rule", "add", "acme", "acme/prod-*", "--for", "writer", "--deny", "push");
        var robot = await DoAsync("robot", "create", "acme", "ci", "writer");
        Assert.Equal("robot.acme.ci", robot);
        var token = await DoAsync("token", "create", robot, "build", "--scope", "repository:acme/*:pull,push", "--expires-in-days=7");

        using var client = _server.Client(robot, token);
        await client.PushImageAsync("acme/app", "v1", [1, 2, 3]);
        using var narrowed = await client.PostAsync("/v2/acme/prod-web/blobs/uploads/", null);
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, narrowed.StatusCode);

        Assert.Contains("repository:acme/*:pull,push", await DoAsync("token", "list", robot));
        Assert.DoesNotContain(token, await DoAsync("token", "list", robot));
        await DoAsync("token", "revoke", robot, "1");
        using var revoked = await client.GetAsync("/v2/acme/app/tags/list");
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, revoked.StatusCode);
        Assert.Contains("access-token.revoke", await DoAsync("events", "--account", robot));
    }

    [Fact]
    public async Task APersonsAccount_IsMadeChangedAndRemoved()
    {
        var password = await DoAsync("account", "create", "alice");
        using var alice = _server.Client("alice", password);
        Assert.Equal(System.Net.HttpStatusCode.OK, (await alice.GetAsync("/v2/")).StatusCode);

        await DoAsync("account", "set", "alice", "--disabled", "true");
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await alice.GetAsync("/v2/")).StatusCode);
        await DoAsync("account", "set", "alice", "--disabled=false", "--creates-namespaces", "true");
        Assert.Equal(System.Net.HttpStatusCode.OK, (await alice.GetAsync("/v2/")).StatusCode);
        Assert.Contains("alice", await DoAsync("account", "list"));

        await DoAsync("account", "delete", "alice");
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await alice.GetAsync("/v2/")).StatusCode);
        Assert.Contains("there is no account alice", await FailAsync(1, "account", "delete", "alice"));
    }

    [Fact]
    public async Task Explain_PrintsTheWholeWay_AndItsExitCodeIsTheAnswer()
    {
        await _server.CreateAccountAsync("alice", null);
        await DoAsync("namespace", "create", "acme", "--visibility", "public", "--maintainer", "admin");
        await DoAsync("member", "set", "acme", "group:corp/platform team", "writer");
        await DoAsync("member", "set", "acme", "alice", "reader");

        Assert.Equal(
            """
            person alice
            namespace acme is public
            role reader in acme: pull
            acme is public: pull
            granted: pull; asked: pull: allowed
            """, await DoAsync("explain", "alice", "pull", "acme/app"));
        Assert.Contains("asked: push: denied", await FailAsync(1, "explain", "alice", "push", "acme/app"));
        Assert.Contains("there is no account bob", await FailAsync(1, "explain", "bob", "push", "acme/app"));
        Assert.Contains("granted: pull; asked: pull: allowed", await DoAsync("explain", "-", "pull", "acme/app"));
        Assert.Contains("group:corp/platform team", await DoAsync("member", "list", "acme"));
        await DoAsync("member", "remove", "acme", "group:corp/platform team");
        await DoAsync("namespace", "delete", "acme");
        Assert.DoesNotContain("acme", await DoAsync("namespace", "list"));
    }

    [Theory]
    [InlineData("'NO' is not an account's name", "account", "create", "NO")]
    [InlineData("'owner' is not reader, writer or maintainer", "member", "set", "acme", "alice", "owner")]
    [InlineData("'acme/app' is not a namespace's name", "namespace", "create", "acme/app")]
    [InlineData("'repository:acme' is not a scope", "token", "create", "alice", "x", "--scope", "repository:acme")]
    [InlineData("'rm' is not pull, push or delete", "explain", "alice", "rm", "acme/app")]
    [InlineData("there is no issuer ci in the configuration", "trust", "add", "alice", "ci", "--claim", "sub=job")]
    [InlineData("'sub' is not of the form NAME=PATTERN", "trust", "add", "alice", "ci", "--claim", "sub")]
    [InlineData("would trust everybody", "trust", "add", "alice", "ci", "--claim", "sub=*")]
    [InlineData("nothing to change was given", "account", "set", "alice")]
    public async Task BadArguments_AreNamed_WithExitCode2(string fault, params string[] arguments) =>
        Assert.Contains(fault, await FailAsync(2, arguments));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Task<string> DoAsync(params string[] arguments) => new ServerVerbs(_server).DoAsync(["admin", .. arguments]);

    private Task<string> FailAsync(int expected, params string[] arguments) => new ServerVerbs(_server).FailAsync(expected, ["admin", .. arguments]);
}
