using System.Net;
using System.Text.Json;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Keyless;

/// <summary>
/// The real server with a clock of its own, two issuers (<c>ci</c> and <c>other</c>) and the namespace acme with the robot
/// <c>robot.acme.ci</c>, a writer; nobody is trusted yet.
/// </summary>
internal sealed class KeylessRegistry : IAsyncDisposable
{
    public const string Robot = "robot.acme.ci";

    private KeylessRegistry(RegistryServer server, ManualTime time, TestIssuer issuer, TestIssuer other) =>
        (Server, Time, Issuer, Other) = (server, time, issuer, other);

    public RegistryServer Server { get; }

    public ManualTime Time { get; }

    public TestIssuer Issuer { get; }

    public TestIssuer Other { get; }

    public Trusts Trusts => Server.Get<Trusts>();

    public static async Task<KeylessRegistry> StartAsync(params string[] settings)
    {
        var time = new ManualTime();
        var (issuer, other) = (await TestIssuer.StartAsync(time), await TestIssuer.StartAsync(time));
        var server = await RegistryServer.StartAsync(time, [.. issuer.Settings("ci"), .. other.Settings("other"), .. settings]);
        await server.AddNamespaceAsync("acme");
        await server.CreateRobotAsync("acme", "ci", NamespaceRole.Writer);
        return new KeylessRegistry(server, time, issuer, other);
    }

    public Task<Trust> TrustAsync(params (string Claim, string Pattern)[] claims) => TrustAsync("ci", Robot, "*", claims);

    public Task<Trust> TrustAsync(string issuer, string account, string scopes, params (string Claim, string Pattern)[] claims) =>
        TrustAsync(Server, issuer, account, scopes, claims);

    public static async Task<Trust> TrustAsync(
        RegistryServer server, string issuer, string account, string scopes, params (string Claim, string Pattern)[] claims)
    {
        var patterns = claims.ToDictionary(claim => claim.Claim, claim => claim.Pattern);
        Assert.True(ClaimRules.TryParse(patterns, out var rules, out var fault), fault);
        var limit = AccessLimit.Parse(scopes.Split(' '));
        return (await server.Get<Trusts>().AddAsync(AccountName.Parse(account), issuer, rules, limit, Actor.Console, default))!;
    }

    public async Task<Answer> GetAsync(string path, string? authorization = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return await SendAsync(request);
    }

    public async Task<Answer> PostTokenAsync(params (string Key, string Value)[] form)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/token")
        {
            Content = new FormUrlEncodedContent(form.Select(pair => KeyValuePair.Create(pair.Key, pair.Value))),
        };
        return await SendAsync(request);
    }

    /// <summary>What docker login does with a name and a password, and what it keeps.</summary>
    public async Task<string> DockerLoginAsync(string token)
    {
        var reply = await GetAsync("/token?account=oidc&client_id=docker&offline_token=true&service=gantry", Basic(token));
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        return reply.Text("refresh_token");
    }

    /// <summary>A bearer token by a refresh token, as a whole header.</summary>
    public async Task<string> BearerAsync(string refreshToken, string scope = "repository:acme/app:pull,push")
    {
        var reply = await RefreshAsync(refreshToken, scope);
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        return $"Bearer {reply.Text("access_token")}";
    }

    public Task<Answer> RefreshAsync(string refreshToken, string scope = "repository:acme/app:pull,push") =>
        PostTokenAsync(
            ("grant_type", "refresh_token"), ("refresh_token", refreshToken), ("service", "gantry"), ("client_id", "docker"), ("scope", scope));

    public Task<Answer> ExchangeAsync(string token, params (string Key, string Value)[] more) =>
        PostTokenAsync(
        [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("subject_token", token),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"), .. more,
        ]);

    public HttpClient Client(string authorization)
    {
        var client = Server.Client(account: null);
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", authorization);
        return client;
    }

    public static string Basic(string token, string name = "oidc") => RegistryServer.Basic(name, token).ToString();

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Issuer.DisposeAsync();
        await Other.DisposeAsync();
    }

    private async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using var client = Server.Client(account: null);
        using var response = await client.SendAsync(request);
        var body = await response.Content.ReadAsStringAsync();
        var challenge = response.Headers.TryGetValues("WWW-Authenticate", out var values) ? values.Single() : null;
        return new Answer(response.StatusCode, body, challenge, response.Headers.RetryAfter?.Delta);
    }
}

/// <summary>An answer, read to its end.</summary>
internal sealed record Answer(HttpStatusCode Status, string Body, string? Challenge, TimeSpan? RetryAfter)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public string Text(string name) => Json.GetProperty(name).GetString()!;

    public JsonElement Error => Json.GetProperty("errors")[0];
}
