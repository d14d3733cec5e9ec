using System.Net;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Keyless;

/// <summary>From an issuer's token to a push, and what ends it.</summary>
[Trait("Speed", "Slow")]
public sealed class KeylessLoginTests : IAsyncLifetime
{
    private KeylessRegistry _registry = null!;

    public async ValueTask InitializeAsync() => _registry = await KeylessRegistry.StartAsync();

    public async ValueTask DisposeAsync() => await _registry.DisposeAsync();

    [Fact]
    public async Task DockerLogin_WithTheFixedName_ThenPush_Works()
    {
        await _registry.TrustAsync(("repository", "acme/*"));
        var refresh = await _registry.DockerLoginAsync(_registry.Issuer.Token(("repository", "acme/app")));

        using var client = _registry.Client(await _registry.BearerAsync(refresh));
        await client.PushImageAsync("acme/app", "v1", "layer"u8.ToArray());

        var events = await ColumnAsync("SELECT kind || ' ' || account || ' ' || coalesce(detail, '') FROM events WHERE kind IN ('login', 'push')");
        Assert.Contains($"login {KeylessRegistry.Robot} keyless, ci: someone", events);
        Assert.Contains($"push {KeylessRegistry.Robot} ", events);
    }

    [Fact]
    public async Task Token_WorksDirectlyOnV2_AndAsPasswordGrant()
    {
        await _registry.TrustAsync(("sub", "someone"));
        var token = _registry.Issuer.Token();

        using var client = _registry.Client(KeylessRegistry.Basic(token));
        await client.PushImageAsync("acme/app", "v1");
        var post = await _registry.PostTokenAsync(
            ("grant_type", "password"), ("username", "oidc"), ("password", token), ("scope", "repository:acme/app:pull"));

        Assert.Equal(HttpStatusCode.OK, post.Status);
        Assert.Equal(HttpStatusCode.OK, (await _registry.GetAsync("/v2/acme/app/tags/list", $"Bearer {post.Text("token")}")).Status);
        Assert.False(post.Json.TryGetProperty("issued_token_type", out _));
    }

    [Fact]
    public async Task Session_OutlivesTheToken_AndEndsWithItsOwnLifetime()
    {
        await _registry.TrustAsync(("sub", "someone"));
        var token = _registry.Issuer.Token();
        var refresh = await _registry.DockerLoginAsync(token);

        _registry.Time.Advance(TimeSpan.FromMinutes(57));
        Assert.Equal(HttpStatusCode.Unauthorized, (await _registry.GetAsync("/token", KeylessRegistry.Basic(token))).Status);
        var last = await _registry.RefreshAsync(refresh);
        Assert.Equal(HttpStatusCode.OK, last.Status);
        Assert.Equal(180, last.Json.GetProperty("expires_in").GetInt32());
        var bearer = $"Bearer {last.Text("token")}";
        Assert.Equal(HttpStatusCode.NotFound, (await _registry.GetAsync("/v2/acme/app/manifests/x", bearer)).Status);

        // An hour after the login, and the minute that clocks may be apart.
        _registry.Time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(HttpStatusCode.Unauthorized, (await _registry.RefreshAsync(refresh)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _registry.GetAsync("/v2/acme/app/manifests/x", bearer)).Status);
    }

    [Fact]
    public async Task Refresh_InTheMinuteOfSkew_GivesNothingThatLasts()
    {
        await _registry.TrustAsync(("sub", "someone"));
        var refresh = await _registry.DockerLoginAsync(_registry.Issuer.Token());

        _registry.Time.Advance(TimeSpan.FromMinutes(60.5));
        var late = await _registry.RefreshAsync(refresh);

        Assert.Equal(0, late.Json.GetProperty("expires_in").GetInt32());
        _registry.Time.Advance(TimeSpan.FromSeconds(31));
        var answer = await _registry.GetAsync("/v2/acme/app/manifests/x", $"Bearer {late.Text("token")}");
        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
    }

    [Fact]
    public async Task RemovedTrust_EndsBearerAndRefreshTokens_AtOnce()
    {
        var trust = await _registry.TrustAsync(("sub", "someone"));
        var refresh = await _registry.DockerLoginAsync(_registry.Issuer.Token());
        var bearer = await _registry.BearerAsync(refresh);
        Assert.Equal(HttpStatusCode.NotFound, (await _registry.GetAsync("/v2/acme/app/manifests/x", bearer)).Status);

        Assert.True(await _registry.Trusts.RemoveAsync(trust.Account, trust.Id, Actor.Console, default));

        var refused = await _registry.GetAsync("/v2/acme/app/manifests/x", bearer);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.Status);
        Assert.Contains("invalid_token", refused.Challenge);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _registry.RefreshAsync(refresh)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _registry.GetAsync("/v2/", KeylessRegistry.Basic(_registry.Issuer.Token()))).Status);
    }

    [Fact]
    public async Task DisabledRobot_IsLetInByNothing_AndNoLaterTrustStepsIn()
    {
        await _registry.TrustAsync(("sub", "someone"));
        await _registry.Server.CreateRobotAsync("acme", "second", NamespaceRole.Writer);
        await _registry.TrustAsync("ci", "robot.acme.second", "*", ("sub", "some*"));
        var refresh = await _registry.DockerLoginAsync(_registry.Issuer.Token());

        await _registry.Server.SetDisabledAsync(KeylessRegistry.Robot);

        Assert.Equal(HttpStatusCode.Unauthorized, (await _registry.RefreshAsync(refresh)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _registry.GetAsync("/token", KeylessRegistry.Basic(_registry.Issuer.Token()))).Status);
    }

    [Fact]
    public async Task Scopes_OfTheTrust_HoldForEverythingThatIsMadeByIt()
    {
        await _registry.TrustAsync("ci", KeylessRegistry.Robot, "repository:acme/app:pull", ("sub", "someone"));
        var token = _registry.Issuer.Token();
        var refresh = await _registry.DockerLoginAsync(token);

        foreach (var reply in new[] { await _registry.RefreshAsync(refresh), await _registry.ExchangeAsync(token, ("scope", "repository:acme/app:pull,push")) })
            Assert.Equal("acme/app:pull", GrantsOf(reply.Text("access_token")));
        Assert.Equal("", GrantsOf((await _registry.RefreshAsync(refresh, "repository:acme/lib:pull")).Text("access_token")));
        using var client = _registry.Client(KeylessRegistry.Basic(token));
        using var push = await client.PostAsync("/v2/acme/app/blobs/uploads/", null);
        Assert.Equal(HttpStatusCode.Forbidden, push.StatusCode);
    }

    [Fact]
    public async Task FirstTrustById_Wins()
    {
        await _registry.Server.CreateRobotAsync("acme", "second", NamespaceRole.Writer);
        await _registry.TrustAsync(("repository", "acme/other"));
        await _registry.TrustAsync("ci", "robot.acme.second", "*", ("repository", "acme/*"));
        await _registry.TrustAsync(("repository", "acme/app"));

        await _registry.GetAsync("/v2/", KeylessRegistry.Basic(_registry.Issuer.Token(("repository", "acme/app"))));

        Assert.Equal(["robot.acme.second"], await ColumnAsync("SELECT account FROM events WHERE kind = 'login'"));
    }

    [Fact]
    public async Task TwoIssuers_WithTheSameSubjectAndKeyId_AreTwo()
    {
        await _registry.TrustAsync(("sub", "someone"));
        Assert.Equal(_registry.Issuer.KeyId, _registry.Other.KeyId);

        Assert.Equal(HttpStatusCode.OK, (await _registry.GetAsync("/v2/", KeylessRegistry.Basic(_registry.Issuer.Token()))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _registry.GetAsync("/v2/", KeylessRegistry.Basic(_registry.Other.Token()))).Status);
        var crossed = Jwt.Sign(_registry.Other.Key, _registry.Issuer.Header, _registry.Issuer.Claims());
        Assert.Equal(HttpStatusCode.Unauthorized, (await _registry.GetAsync("/v2/", KeylessRegistry.Basic(crossed))).Status);
    }

    [Fact]
    public async Task Refusal_TellsTheStrangerNoTrust_AndTheLogAll()
    {
        var log = CapturedLog.Of(_registry.Server.Services);
        var trust = await _registry.TrustAsync(("repository", "acme/secret-project"));
        var token = _registry.Issuer.Token(("repository", "acme/app"), ("sub", "some\none"));

        var answers = new[]
        {
            await _registry.GetAsync("/v2/", KeylessRegistry.Basic(token)), await _registry.GetAsync("/token", KeylessRegistry.Basic(token)),
            await _registry.ExchangeAsync(token),
        };

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Unauthorized, answer.Status));
        Assert.All(answers, answer => Assert.Contains("no trust here accepts its claims", answer.Body));
        Assert.All(answers, answer => Assert.DoesNotContain("secret-project", answer.Body));
        Assert.Contains(log.Lines, line => line.Contains($"issuer ci: nothing trusts some?one (trust {trust.Id}: repository)", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.Contains(token.Split('.')[2], StringComparison.Ordinal));
    }

    [Fact]
    public async Task Name_OtherThanTheFixedOne_IsAnAccountsOwn()
    {
        await _registry.TrustAsync(("sub", "someone"));
        foreach (var name in new[] { KeylessRegistry.Robot, "OIDC", "admin", "" })
        {
            var answer = await _registry.GetAsync("/v2/", KeylessRegistry.Basic(_registry.Issuer.Token(), name));
            Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        }
    }

    private async Task<List<string>> ColumnAsync(string sql)
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(_registry.Server.ConnectionString);
#pragma warning disable CA2100 // statements of the tests
        await using var command = source.CreateCommand(sql);
#pragma warning restore CA2100
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<string>();
        while (await reader.ReadAsync()) values.Add(reader.GetString(0));
        return values;
    }

    private static string GrantsOf(string token) =>
        string.Join(' ', Jwt.Part(token, 1).GetProperty("access").EnumerateArray().Select(entry =>
            $"{entry.GetProperty("name").GetString()}:{string.Join(',', entry.GetProperty("actions").EnumerateArray())}"));
}
