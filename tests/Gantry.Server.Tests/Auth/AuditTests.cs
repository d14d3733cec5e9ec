using System.Net;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Auth;

/// <summary>What lands in <c>events</c>, each with account, address, client and request id.</summary>
[Trait("Speed", "Slow")]
public sealed class AuditTests : IAsyncLifetime
{
    private const string Password = "alice's password", Client = "audited/1.0";

    private RegistryServer _server = null!;
    private HttpClient _alice = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await RegistryServer.StartAsync("Access:Throttle:FailuresPerAccountAndAddress=100");
        await _server.CreateAccountAsync("alice", Password);
        await _server.AddNamespaceAsync("acme");
        await _server.SetRoleAsync("acme", "alice", NamespaceRole.Writer);
        _alice = _server.Client("alice", Password);
        _alice.DefaultRequestHeaders.UserAgent.ParseAdd(Client);
    }

    [Fact]
    public async Task Login_IsRecordedOncePerCredentialAndAddress()
    {
        using var first = await _alice.GetAsync("/token");
        using var second = await _alice.GetAsync("/token");

        var login = Assert.Single(await EventsAsync(EventKinds.Login));
        Expect(login, first);
        Assert.Equal("password", login.Detail);
    }

    [Fact]
    public async Task Login_WithAnAccessToken_NamesTheTokenAndNotItsText()
    {
        var token = await _server.CreateAccessTokenAsync("alice");
        using var client = _server.Client("alice", token);
        using var reply = await client.GetAsync("/token");

        var login = Assert.Single(await EventsAsync(EventKinds.Login));
        Assert.StartsWith("access token ", login.Detail);
        Assert.DoesNotContain(token, login.Detail);
    }

    [Fact]
    public async Task FailedLogin_OfAnAccount_IsRecorded_AndOfAStrangersNameIsNot()
    {
        using var wrong = _server.Client("alice", "wrong password");
        using var nobody = _server.Client("nobody", "wrong password");
        using var refused = await wrong.GetAsync("/token");
        using var unknown = await nobody.GetAsync("/token");

        var failure = Assert.Single(await EventsAsync(EventKinds.LoginFailed));
        Assert.Equal("alice", failure.Account);
        Assert.Equal(refused.Header("X-Request-Id"), failure.RequestId);
        Assert.DoesNotContain("wrong", failure.Detail ?? "");
    }

    [Fact]
    public async Task Denial_OfAnAccount_SaysWhatWasAskedAndGrantedByWhichRule()
    {
        using var reply = await _alice.DeleteAsync("/v2/acme/app/manifests/latest");

        var denial = Assert.Single(await EventsAsync(EventKinds.Denied));
        Expect(denial, reply);
        Assert.Equal(("acme", "acme/app"), (denial.Namespace, denial.Repository));
        Assert.Equal("asked for delete on acme/app; granted is pull,push (role writer in acme)", denial.Detail);
    }

    [Fact]
    public async Task ATokenThatHoldsTooLittle_IsNoDenial_WhereAnotherWouldHoldIt()
    {
        using var token = await BearerAsync("repository:acme/app:pull");
        using var push = await token.PostAsync("/v2/acme/app/blobs/uploads/", null);
        using var other = await token.GetAsync("/v2/other/app/tags/list");

        Assert.Equal(HttpStatusCode.Unauthorized, push.StatusCode);
        var denial = Assert.Single(await EventsAsync(EventKinds.Denied));
        Assert.Equal("other/app", denial.Repository);
    }

    [Fact]
    public async Task Token_ToPushOrDelete_IsRecorded_AndToPullIsNot()
    {
        using var pull = await _alice.GetAsync("/token?scope=repository:acme/app:pull");
        using var push = await _alice.GetAsync("/token?scope=repository:acme/app:pull,push,delete");

        var issue = Assert.Single(await EventsAsync(EventKinds.TokenIssue));
        Expect(issue, push);
        Assert.Equal("repository:acme/app:pull,push", issue.Detail);
    }

    [Fact]
    public async Task PushAndDelete_AreRecorded()
    {
        await _server.SetRoleAsync("acme", "alice", NamespaceRole.Maintainer);
        var digest = await _alice.PushImageAsync("acme/app", "v1", [1, 2, 3]);
        using var deleted = await _alice.DeleteAsync($"/v2/acme/app/manifests/{digest}");

        var push = Assert.Single(await EventsAsync(EventKinds.Push));
        Assert.Equal(("alice", "acme/app", "v1", digest.ToString(), Client), (push.Account, push.Repository, push.Tag, push.Digest, push.Client));
        Expect(Assert.Single(await EventsAsync(EventKinds.ManifestDelete)), deleted);
    }

    [Fact]
    public async Task FirstPush_ThatMakesANamespace_IsRecorded()
    {
        using var admin = _server.Client();
        await admin.PushImageAsync("new/app", "v1", [1]);

        var made = Assert.Single(await EventsAsync(EventKinds.NamespaceCreate), row => row.Namespace == "new");
        Assert.Equal("admin", made.Account);
    }

    [Fact]
    public async Task ALongClientName_IsCut()
    {
        using var client = _server.Client("alice", Password);
        client.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", new string('x', 5000));
        using var reply = await client.GetAsync("/token");

        Assert.Equal(Actor.MaxClient, Assert.Single(await EventsAsync(EventKinds.Login)).Client!.Length);
    }

    public async ValueTask DisposeAsync()
    {
        _alice.Dispose();
        await _server.DisposeAsync();
    }

    private static void Expect(EventRow row, HttpResponseMessage reply) =>
        Assert.Equal(
            ("alice", "127.0.0.1", Client, reply.Header("X-Request-Id")), (row.Account, row.Address, row.Client, row.RequestId));

    private Task<IReadOnlyList<EventRow>> EventsAsync(string kind) => _server.Get<AuditListing>()
        .PageAsync(new AuditFilter { Kind = kind }, null, 100, TestContext.Current.CancellationToken);

    private async Task<HttpClient> BearerAsync(string scope)
    {
        using var reply = System.Text.Json.JsonDocument.Parse(await _alice.GetStringAsync($"/token?scope={scope}"));
        var client = _server.Client(account: null);
        client.DefaultRequestHeaders.Authorization = new("Bearer", reply.RootElement.GetProperty("token").GetString());
        return client;
    }
}
