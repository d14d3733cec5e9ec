using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Auth;

/// <summary>What is taken away on one node is gone on the other: two servers on one database.</summary>
[Trait("Speed", "Slow")]
public sealed class SecondNodeTests : IAsyncLifetime
{
    private const string Password = "alice's password";
    private static readonly AccountName Alice = AccountName.Parse("alice");

    private RegistryServer _one = null!, _other = null!;

    public async ValueTask InitializeAsync()
    {
        _one = await RegistryServer.StartAsync();
        _other = await _one.AnotherNodeAsync();
        await _one.CreateAccountAsync("alice", Password);
        await _one.AddNamespaceAsync("acme");
        await _one.SetRoleAsync("acme", "alice", NamespaceRole.Writer);
    }

    [Theory]
    [InlineData("disable", "invalid_token")]
    [InlineData("delete", "invalid_token")]
    [InlineData("revoke", "invalid_token")]
    [InlineData("remove", "insufficient_scope")]
    [InlineData("demote", "insufficient_scope")]
    [InlineData("rule", "insufficient_scope")]
    public async Task BearerToken_OfWhoLosesTheRight_IsRefusedOnBothNodes(string taking, string error)
    {
        var secret = taking == "revoke" ? await _one.CreateAccessTokenAsync("alice") : Password;
        using var here = await BearerAsync(_one, secret);
        using var there = await BearerAsync(_other, secret);
        foreach (var client in (HttpClient[])[here, there])
        {
            using var push = await PushAsync(client);
            Assert.Equal(HttpStatusCode.Accepted, push.StatusCode);
        }

        await TakeAsync(taking, secret);

        // On its own node with the return of the call, on the other as soon as it has heard.
        using var refusedHere = await PushAsync(here);
        Assert.Equal(HttpStatusCode.Unauthorized, refusedHere.StatusCode);
        await HeardAsync();
        using var refusedThere = await PushAsync(there);
        Assert.Equal(HttpStatusCode.Unauthorized, refusedThere.StatusCode);
        Assert.Contains($"error=\"{error}\"", refusedThere.Header("WWW-Authenticate"));
    }

    [Fact]
    public async Task NamespaceThatIsMadePrivate_EndsAnonymousTokensOnBothNodes()
    {
        using var alice = _one.Client("alice", Password);
        await alice.PushImageAsync("acme/app", "v1", [1]);
        await _one.Get<Namespaces>().SetVisibilityAsync(NamespaceName.Parse("acme"), Visibility.Public, Actor.Console, default);
        await HeardAsync();
        using var nobody = await BearerAsync(_other, secret: null);
        using var pulled = await nobody.GetAsync("/v2/acme/app/manifests/v1");
        Assert.Equal(HttpStatusCode.OK, pulled.StatusCode);

        await _one.Get<Namespaces>().SetVisibilityAsync(NamespaceName.Parse("acme"), Visibility.Private, Actor.Console, default);

        await HeardAsync();
        using var refused = await nobody.GetAsync("/v2/acme/app/manifests/v1");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    public async ValueTask DisposeAsync()
    {
        await _other.DisposeAsync();
        await _one.DisposeAsync();
    }

    private Task TakeAsync(string taking, string secret) => taking switch
    {
        "disable" => _one.Get<Accounts>().SetDisabledAsync(Alice, true, Actor.Console),
        "delete" => _one.Get<Accounts>().DeleteAsync(Alice, Actor.Console),
        "revoke" => _one.RevokeAccessTokenAsync("alice", secret),
        "remove" => _one.SetRoleAsync("acme", "alice", null),
        "demote" => _one.SetRoleAsync("acme", "alice", NamespaceRole.Reader),
        _ => _one.AddRuleAsync("acme", "acme/*", RuleAudience.Writer, RepositoryActions.Push),
    };

    private static Task<HttpResponseMessage> PushAsync(HttpClient client) => client.PostAsync("/v2/acme/app/blobs/uploads/", null);

    private static async Task<HttpClient> BearerAsync(RegistryServer node, string? secret)
    {
        using var login = node.Client(secret is null ? null : "alice", secret ?? "");
        using var reply = JsonDocument.Parse(await login.GetStringAsync("/token?scope=repository:acme/app:pull,push"));
        var client = node.Client(account: null);
        client.DefaultRequestHeaders.Authorization = new("Bearer", reply.RootElement.GetProperty("token").GetString());
        return client;
    }

    // By the feed of the other node alone: nothing here makes it read.
    private async Task HeardAsync()
    {
        var (known, patience) = (_one.Get<AccessChanges>().Revision, Stopwatch.StartNew());
        while (_other.Get<AccessChanges>().Revision < known)
        {
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(30), "the other node does not hear of the change");
            await Task.Delay(5);
        }
    }
}
