using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Gantry.TestKit;
using Npgsql;

namespace Gantry.Server.Tests.Keyless;

/// <summary>A registry that is only attacked; what passes would be seen, because the genuine token passes.</summary>
public sealed class AttackedRegistry : IAsyncLifetime
{
    internal KeylessRegistry Registry { get; private set; } = null!;

    /// <summary>Serves the attacker's keys to whoever asks for them.</summary>
    internal TestIssuer Attacker { get; private set; } = null!;

    internal Forgery Bearers { get; private set; } = null!;

    internal Forgery IssuerTokens { get; private set; } = null!;

    internal string RefreshToken { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Registry = await KeylessRegistry.StartAsync();
        Attacker = await TestIssuer.StartAsync(Registry.Time);
        Attacker.Rotate(Forgery.Mine, "key-of-mine");
        await Registry.TrustAsync(("sub", "someone"));

        var token = Registry.Issuer.Token();
        RefreshToken = await Registry.DockerLoginAsync(token);
        var bearer = (await Registry.BearerAsync(RefreshToken))["Bearer ".Length..];
        Bearers = new Forgery(bearer, await OwnKeyAsync(), Attacker.Url);
        IssuerTokens = new Forgery(token, Registry.Issuer.Key, Attacker.Url);
    }

    public async ValueTask DisposeAsync()
    {
        await Registry.DisposeAsync();
        await Attacker.DisposeAsync();
    }

    // The registry's own private key, as nobody but the database has it.
    private async Task<ECDsa> OwnKeyAsync()
    {
        await using var source = NpgsqlDataSource.Create(Registry.Server.ConnectionString);
        await using var command = source.CreateCommand("SELECT private_key FROM signing_keys");
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey((byte[])(await command.ExecuteScalarAsync())!, out _);
        return key;
    }
}

/// <summary>Forged tokens at both doors: as our own bearer token on /v2, and as an issuer's at every place that takes one.</summary>
public sealed class JwtAttackTests(AttackedRegistry attacked) : IClassFixture<AttackedRegistry>
{
    private KeylessRegistry Registry => attacked.Registry;

    public static TheoryData<string> Names => [.. Forgery.All.Keys];

    /// <summary>What only an issuer's token must have.</summary>
    public static TheoryData<string, string?> IssuersAlone => new()
    {
        { "sub", null }, { "sub", "\"\"" }, { "sub", "7" }, { "sub", "[\"someone\"]" }, { "sub", "{}" },
        { "iat", "99999999999" }, { "iat", "\"now\"" }, { "exp", "99999999999" }, { "nbf", "\"now\"" },
        { "aud", "{\"gantry\":1}" }, { "aud", "[[\"gantry\"]]" },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public async Task BearerToken_Forged_IsRefused(string name)
    {
        var token = Forgery.All[name](attacked.Bearers);

        await AssertRefusedAsBearerAsync(token);
        await AssertStillServesAsync();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task IssuersToken_Forged_IsRefused(string name)
    {
        var token = Forgery.All[name](attacked.IssuerTokens);

        await AssertRefusedAsIssuersAsync(token);
        await AssertStillServesAsync();
    }

    [Theory]
    [MemberData(nameof(IssuersAlone))]
    public async Task IssuersToken_WithClaimsThatCannotBe_IsRefused(string claim, string? json)
    {
        var token = attacked.IssuerTokens.Signed(claims =>
        {
            if (json is null) claims.Remove(claim);
            else claims[claim] = JsonNode.Parse(json);
        });
        await AssertRefusedAsIssuersAsync(token);
        await AssertStillServesAsync();
    }

    [Fact]
    public async Task RefreshToken_AsBearerToken_AndAsIssuersToken_IsRefused()
    {
        await AssertRefusedAsBearerAsync(attacked.RefreshToken);
        await AssertRefusedAsIssuersAsync(attacked.RefreshToken);
    }

    [Fact]
    public async Task BearerToken_AsRefreshToken_AndAsIssuersToken_IsRefused()
    {
        var refused = await Registry.RefreshAsync(attacked.Bearers.Genuine);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.Status);
        await AssertRefusedAsIssuersAsync(attacked.Bearers.Genuine);
    }

    [Fact]
    public async Task IssuersToken_AsBearerToken_AndAsRefreshToken_IsRefused()
    {
        await AssertRefusedAsBearerAsync(attacked.IssuerTokens.Genuine);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Registry.RefreshAsync(attacked.IssuerTokens.Genuine)).Status);
    }

    [Fact]
    public async Task OwnKey_UnderAnIssuersName_IsRefused()
    {
        // A node's signing key must not speak for an issuer, nor an issuer's key for the registry.
        var (own, theirs) = (attacked.Bearers, attacked.IssuerTokens);
        await AssertRefusedAsIssuersAsync(Jwt.Sign(own.Key, own.Header.ToJsonString(), theirs.Claims.ToJsonString()));
        await AssertRefusedAsBearerAsync(Jwt.Sign(theirs.Key, theirs.Header.ToJsonString(), own.Claims.ToJsonString()));
        await AssertStillServesAsync();
    }

    [Theory]
    [InlineData(100 * 1024)]
    [InlineData(1024 * 1024)]
    public async Task Token_OfThatSize_IsRefused_AndTheServerGoesOn(int size)
    {
        var huge = $"{Jwt.Encode($$"""{"alg":"ES256","kid":"{{new string('k', size)}}"}""")}.{new string('A', 100)}.AAAA";

        // Headers end at 32 KiB for every request alike; a form is looked at up to 64 KiB.
        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, (await Registry.GetAsync("/v2/", $"Bearer {huge}")).Status);
        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, (await Registry.GetAsync("/token", KeylessRegistry.Basic(huge))).Status);
        var posted = await Registry.ExchangeAsync(huge);
        Assert.Equal(HttpStatusCode.BadRequest, posted.Status);
        Assert.Equal("invalid_request", posted.Text("error"));
        await AssertStillServesAsync();
    }

    private async Task AssertRefusedAsBearerAsync(string token)
    {
        foreach (var path in new[] { "/v2/", "/v2/acme/app/manifests/latest" })
        {
            var answer = await Registry.GetAsync(path, $"Bearer {token}");
            Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
            Assert.Equal("UNAUTHORIZED", answer.Error.GetProperty("code").GetString());
            Assert.StartsWith("Bearer realm=", answer.Challenge, StringComparison.Ordinal);
            Assert.Contains("error=\"invalid_token\"", answer.Challenge);
        }
    }

    private async Task AssertRefusedAsIssuersAsync(string token)
    {
        var onV2 = await Registry.GetAsync("/v2/", KeylessRegistry.Basic(token));
        Assert.StartsWith("Bearer realm=", onV2.Challenge, StringComparison.Ordinal);
        var atToken = new[]
        {
            await Registry.GetAsync("/token?scope=repository:acme/app:pull", KeylessRegistry.Basic(token)),
            await Registry.PostTokenAsync(("grant_type", "password"), ("username", "oidc"), ("password", token)),
            await Registry.ExchangeAsync(token),
        };
        foreach (var answer in atToken.Append(onV2))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
            Assert.Equal("UNAUTHORIZED", answer.Error.GetProperty("code").GetString());
        }
    }

    // The genuine tokens still pass, and nobody has been asked for the attacker's keys.
    private async Task AssertStillServesAsync()
    {
        Assert.Equal(HttpStatusCode.OK, (await Registry.GetAsync("/v2/", $"Bearer {attacked.Bearers.Genuine}")).Status);
        Assert.Equal(HttpStatusCode.OK, (await Registry.GetAsync("/v2/", KeylessRegistry.Basic(attacked.IssuerTokens.Genuine))).Status);
        Assert.Empty(attacked.Attacker.Requests);
    }
}
