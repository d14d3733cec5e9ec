using System.Net;
using Gantry.Core.Access;
using Gantry.Oci;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Access;

/// <summary>Namespaces that a first push makes, and who is what in them.</summary>
[Trait("Speed", "Slow")]
public sealed class NewNamespaceTests : IAsyncLifetime
{
    private RegistryServer _server = null!;

    // ann and bob may create namespaces, jim may not.
    public async ValueTask InitializeAsync()
    {
        _server = await RegistryServer.StartAsync();
        foreach (var name in new[] { "ann", "bob" })
            await _server.CreateAccountAsync(name, RegistryServer.Password, new AccountSettings { CreatesNamespaces = true });
        await _server.CreateAccountAsync("jim", RegistryServer.Password);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task FirstPush_MakesAPrivateNamespace_WhoseMaintainerIsWhoPushed()
    {
        using var ann = _server.Client("ann");
        var digest = await ann.PushImageAsync("acme/app", "v1");

        Assert.Equal("private ann maintainer", await TextAsync(
            """
            SELECT concat_ws(' ', n.visibility, a.name, m.role) FROM namespaces n
            JOIN memberships m ON m.namespace_id = n.id JOIN accounts a ON a.id = m.account_id WHERE n.name = 'acme'
            """));
        Assert.Equal("ann", await TextAsync("SELECT account FROM events WHERE kind = 'namespace.create' AND namespace = 'acme'"));
        using var delete = await ann.DeleteAsync($"/v2/acme/app/manifests/{digest}");
        Assert.Equal(HttpStatusCode.Accepted, delete.StatusCode);
    }

    [Fact]
    public async Task Push_ByWhoMayNotCreate_IsAsIfNothingWereThere_AndMakesNothing()
    {
        using var jim = _server.Client("jim");
        using var post = await jim.PostAsync("/v2/acme/app/blobs/uploads/", null);

        await post.AssertErrorAsync(HttpStatusCode.NotFound, "NAME_UNKNOWN");
        Assert.Equal("0", await TextAsync("SELECT count(*)::text FROM namespaces"));
    }

    [Fact]
    public async Task StartedUpload_MakesNoNamespace()
    {
        using var ann = _server.Client("ann");
        await ann.StartUploadAsync("acme/app");
        Assert.Equal("0", await TextAsync("SELECT count(*)::text FROM namespaces"));
    }

    [Fact]
    public async Task FirstPush_OfTwoAtOnce_MakesOneTheMaintainerAndRefusesTheOther()
    {
        using var ann = _server.Client("ann");
        using var bob = _server.Client("bob");
        for (var round = 0; round < 12; round++)
        {
            var ns = $"race-{round}";
            // Of both, what is missing is the last step alone: a blob's, or a manifest's.
            var both = new[] { ann, bob };
            var content = "content"u8.ToArray();
            var uploads = await Task.WhenAll(both.Select(client => client.StartUploadAsync($"{ns}/app")));

            var answers = await Task.WhenAll(both.Select((client, i) => Task.Run(() => round % 2 == 0
                ? client.CloseAsync(uploads[i], Digest.Of(content), content)
                : client.PutAsync($"/v2/{ns}/app/manifests/v1",
                    RegistryClient.Bytes(System.Text.Encoding.UTF8.GetBytes(RegistryClient.IndexJson()), MediaTypes.OciIndex)))));

            var winner = answers[0].StatusCode == HttpStatusCode.Created ? 0 : 1;
            Assert.Equal(HttpStatusCode.Created, answers[winner].StatusCode);
            // Refused while it wrote, or before it began, where the other one was done by then.
            var loser = answers[1 - winner];
            await (loser.StatusCode == HttpStatusCode.NotFound
                ? loser.AssertErrorAsync(HttpStatusCode.NotFound, "NAME_UNKNOWN")
                : loser.AssertErrorAsync(HttpStatusCode.Forbidden, "DENIED"));
            Assert.Equal($"{(winner == 0 ? "ann" : "bob")} maintainer", await TextAsync(
                $"""
                 SELECT string_agg(a.name || ' ' || m.role, ';') FROM memberships m
                 JOIN accounts a ON a.id = m.account_id JOIN namespaces n ON n.id = m.namespace_id WHERE n.name = '{ns}'
                 """));
            Assert.Equal("1", await TextAsync(
                $"SELECT count(*)::text FROM events WHERE kind = 'namespace.create' AND namespace = '{ns}'"));
            Assert.Equal("1", await TextAsync($"SELECT count(*)::text FROM access_changes WHERE namespace = '{ns}'"));

            // The winner works there, the other one sees nothing.
            await both[winner].PushImageAsync($"{ns}/second", "v1");
            using var look = await both[1 - winner].GetAsync($"/v2/{ns}/second/manifests/v1");
            await look.AssertErrorAsync(HttpStatusCode.NotFound, "NAME_UNKNOWN");
            foreach (var answer in answers) answer.Dispose();
        }
    }

    [Fact]
    public async Task Token_ForANamespaceThatAnotherMade_HoldsNothingThere()
    {
        using var bob = await TokenClientAsync("bob", "repository:acme/app:pull,push");
        using (var before = await bob.GetAsync("/v2/acme/app/manifests/v1"))
            Assert.Equal(HttpStatusCode.NotFound, before.StatusCode);
        using var ann = _server.Client("ann");
        await ann.PushImageAsync("acme/app", "v1");
        await _server.Get<AccessChanges>().RefreshAsync(TestContext.Current.CancellationToken);

        foreach (var path in new[] { "/v2/acme/app/manifests/v1", "/v2/acme/app/tags/list" })
        {
            using var after = await bob.GetAsync(path);
            Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
            Assert.Contains("insufficient_scope", after.Header("WWW-Authenticate"), StringComparison.Ordinal);
        }

        using var post = await bob.PostAsync("/v2/acme/app/blobs/uploads/", null);
        Assert.Equal(HttpStatusCode.Unauthorized, post.StatusCode);
    }

    [Fact]
    public async Task Token_ThatMadeTheNamespace_GoesOnWorking()
    {
        using var ann = await TokenClientAsync("ann", "repository:acme/app:pull,push");
        await ann.PushImageAsync("acme/app", "v1");
        using var pull = await ann.GetAsync("/v2/acme/app/manifests/v1");
        Assert.Equal(HttpStatusCode.OK, pull.StatusCode);
    }

    private async Task<HttpClient> TokenClientAsync(string account, string scope)
    {
        using var basic = _server.Client(account);
        using var reply = System.Text.Json.JsonDocument.Parse(await basic.GetStringAsync($"/token?service=gantry&scope={scope}"));
        var client = _server.Client(account: null);
        client.DefaultRequestHeaders.Authorization = new("Bearer", reply.RootElement.GetProperty("token").GetString());
        return client;
    }

    private Task<string?> TextAsync(string sql) => _server.QueryAsync<string>(sql);
}
