using System.Web;
using Gantry.Engine.Credentials;
using Gantry.Engine.Remote;
using Gantry.Oci;
using Gantry.TestKit;
using Microsoft.AspNetCore.Http;

namespace Gantry.Engine.Tests.Remote;

/// <summary>Challenges answered, tokens kept and renewed, against a registry with its token service at the same place.</summary>
public sealed class TokenTests
{
    private static readonly byte[] Content = "some content"u8.ToArray();
    private readonly List<string> _asked = [];
    private int _made;

    private string Valid { get; set; } = "";

    private string Reply { get; set; } = "\"expires_in\":300";

    [Fact]
    public async Task Read_ManyAtOnce_AsksForOneToken()
    {
        await using var server = await FakeServer.StartAsync(AnswerAsync);
        using var registries = new RemoteRegistries(Remotes.Quick with { Credentials = Remotes.Known });
        var repository = registries.Open($"{server.Host}/team/app");

        var read = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => repository.ReadAsync(Remotes.Describe(Content))));

        Assert.All(read, bytes => Assert.Equal(Content, bytes));
        var asked = HttpUtility.ParseQueryString(new Uri("http://x" + Assert.Single(_asked)).Query);
        Assert.Equal(("repository:team/app:pull", "the registry", Remotes.UserName), (asked["scope"], asked["service"], asked["account"]));
        Assert.Equal(Remotes.Basic(), server.Requests.First(request => request.Target.StartsWith("/token", StringComparison.Ordinal)).Authorization);
        Assert.DoesNotContain(server.Requests, request => request.Target.StartsWith("/v2", StringComparison.Ordinal) && request.Authorization?.StartsWith("Basic", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task Read_Anonymously_SendsNoAccount()
    {
        await using var server = await FakeServer.StartAsync(AnswerAsync);
        using var registries = new RemoteRegistries(Remotes.Quick);
        await registries.Open($"{server.Host}/team/app").ReadAsync(Remotes.Describe(Content));
        Assert.DoesNotContain("account", Assert.Single(_asked), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_TokenTooOld_FetchesAnotherBeforeItIsRefused()
    {
        var time = new ManualTime();
        await using var server = await FakeServer.StartAsync(AnswerAsync);
        using var registries = new RemoteRegistries(Remotes.Quick with { Credentials = Remotes.Known, Time = time });
        var repository = registries.Open($"{server.Host}/team/app");
        await repository.ReadAsync(Remotes.Describe(Content));
        time.Advance(TimeSpan.FromSeconds(269));
        await repository.ReadAsync(Remotes.Describe(Content));
        Assert.Equal(1, _made);

        time.Advance(TimeSpan.FromSeconds(2));
        await repository.ReadAsync(Remotes.Describe(Content));
        Assert.Equal(2, _made);
    }

    [Fact]
    public async Task Read_TokenRevoked_IsRenewedOnce()
    {
        await using var server = await FakeServer.StartAsync(AnswerAsync);
        using var registries = new RemoteRegistries(Remotes.Quick with { Credentials = Remotes.Known });
        var repository = registries.Open($"{server.Host}/team/app");
        await repository.ReadAsync(Remotes.Describe(Content));
        Valid = "revoked";
        Assert.Equal(Content, await repository.ReadAsync(Remotes.Describe(Content)));
        Assert.Equal(2, _made);
    }

    [Fact]
    public async Task Read_TokenNeverGood_IsDeniedAfterOneTry()
    {
        await using var server = await FakeServer.StartAsync(http =>
        {
            if (http.Request.Path == "/token") return AnswerAsync(http);
            http.Response.Headers.WWWAuthenticate = $"Bearer realm=\"http://{http.Request.Host}/token\",error=\"insufficient_scope\"";
            return FakeServer.AnswerAsync(http, 401, """{"errors":[{"code":"DENIED","message":"you may not"}]}""");
        });
        using var registries = new RemoteRegistries(Remotes.Quick with { Credentials = Remotes.Known });
        var denied = await Remotes.FailsAsync(EngineFault.Denied, () => registries.Open($"{server.Host}/team/app").ReadAsync(Remotes.Describe(Content)));
        Assert.Contains("DENIED: you may not", denied.Message, StringComparison.Ordinal);
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task Read_WithIdentityToken_PostsItAndNoPassword()
    {
        await using var server = await FakeServer.StartAsync(AnswerAsync);
        using var registries = new RemoteRegistries(Remotes.Quick with { Credentials = Remotes.With(Credential.OfIdentityToken("refresh+me")) });
        await registries.Open($"{server.Host}/team/app").ReadAsync(Remotes.Describe(Content));

        var post = server.Requests.Single(request => request.Method == "POST");
        var form = HttpUtility.ParseQueryString(post.Body);
        Assert.Equal(("refresh_token", "refresh+me", "repository:team/app:pull", "the registry"), (form["grant_type"], form["refresh_token"], form["scope"], form["service"]));
        Assert.Null(post.Authorization);
    }

    [Fact]
    public async Task Read_WithRegistryToken_SendsItAsItIs()
    {
        Valid = "given-by-hand";
        await using var server = await FakeServer.StartAsync(AnswerAsync);
        using var registries = new RemoteRegistries(Remotes.Quick with { Credentials = Remotes.With(Credential.OfRegistryToken("given-by-hand")) });
        await registries.Open($"{server.Host}/team/app").ReadAsync(Remotes.Describe(Content));
        Assert.Empty(_asked);
    }

    [Fact]
    public async Task Read_BasicChallenge_SendsPasswordOnlyWhenAsked()
    {
        await using var server = await FakeServer.StartAsync(http =>
        {
            if (http.Request.Headers.Authorization == Remotes.Basic()) return Remotes.SendAsync(http, Content);
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"x\"";
            return FakeServer.AnswerAsync(http, 401);
        });
        using var registries = new RemoteRegistries(Remotes.Quick with { Credentials = Remotes.Known });
        var repository = registries.Open($"{server.Host}/team/app");
        await repository.ReadAsync(Remotes.Describe(Content));
        await repository.ReadAsync(Remotes.Describe(Content));
        Assert.Equal([null, Remotes.Basic(), Remotes.Basic()], server.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task Read_TokenServiceBusy_IsAskedAgain()
    {
        var busy = 2;
        await using var server = await FakeServer.StartAsync(http =>
        {
            if (http.Request.Path != "/token" || busy-- <= 0) return AnswerAsync(http);
            http.Response.Headers.RetryAfter = "0";
            return FakeServer.AnswerAsync(http, 429);
        });
        using var registries = new RemoteRegistries(Remotes.Quick);
        Assert.Equal(Content, await registries.Open($"{server.Host}/team/app").ReadAsync(Remotes.Describe(Content)));
    }

    [Fact]
    [Trait("Pull", "C89")]
    public async Task Read_ServersRepeatSecrets_NoneIsShown()
    {
        const string Refresh = "an-identity-token";
        await using var server = await FakeServer.StartAsync(async http =>
        {
            var echo = $"{http.Request.Headers.Authorization} {http.Request.QueryString} {Remotes.Password} {Refresh} {Remotes.Basic()["Basic ".Length..]}";
            if (http.Request.Path == "/token" && http.Request.Method == "GET" && _made++ == 0) await FakeServer.AnswerAsync(http, 200, """{"token":"bearer-secret-1"}""");
            else
            {
                http.Response.Headers.WWWAuthenticate = $"Bearer realm=\"http://{http.Request.Host}/token\"";
                await FakeServer.AnswerAsync(http, 401, $$"""{"errors":[{"code":"UNAUTHORIZED","message":"{{echo}}","detail":"bearer-secret-1"}]}""");
            }
        });
        foreach (var credential in new[] { Credential.OfPassword(Remotes.UserName, Remotes.Password), Credential.OfIdentityToken(Refresh), Credential.OfPassword(Remotes.UserName, Remotes.Password) })
        {
            var notes = new List<string>();
            using var registries = new RemoteRegistries(Remotes.Quick with { Credentials = Remotes.With(credential), Notes = notes.Add });
            var denied = await Remotes.FailsAsync(EngineFault.Denied, () => registries.Open($"{server.Host}/team/app").ReadAsync(Remotes.Describe(Content)));
            var shown = $"{denied} {string.Join(' ', notes)} {credential}";
            Assert.All(new[] { credential.Password, credential.IdentityToken, credential.Basic }.OfType<string>(), secret => Assert.DoesNotContain(secret, shown, StringComparison.Ordinal));
            Assert.Contains("UNAUTHORIZED", shown, StringComparison.Ordinal);
            if (credential.Password is not null && _made == 1) Assert.DoesNotContain("bearer-secret-1", shown, StringComparison.Ordinal);
        }
    }

    private Task AnswerAsync(HttpContext http)
    {
        if (http.Request.Path == "/token")
        {
            lock (_asked) _asked.Add(http.Request.Path + http.Request.QueryString);
            Valid = $"token-{Interlocked.Increment(ref _made)}";
            return FakeServer.AnswerAsync(http, 200, $$"""{"token":"{{Valid}}",{{Reply}}}""");
        }

        if (Valid.Length > 0 && http.Request.Headers.Authorization == $"Bearer {Valid}") return Remotes.SendAsync(http, Content);
        http.Response.Headers.WWWAuthenticate = $"Bearer realm=\"http://{http.Request.Host}/token\",service=\"the registry\",scope=\"repository:team/app:pull\"";
        return FakeServer.AnswerAsync(http, 401);
    }
}
