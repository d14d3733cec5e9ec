using System.Net;
using System.Security.Cryptography;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Keyless;

/// <summary>How long an issuer's keys hold, which of them are taken, and what an issuer that goes away does to logins.</summary>
/// <remarks>Every test has a key of its own: it finds the registry, which all share, without it.</remarks>
public sealed class IssuerKeysTests(AttackedRegistry shared) : IClassFixture<AttackedRegistry>, IAsyncLifetime
{
    private readonly KeylessRegistry _registry = shared.Registry;

    public ValueTask InitializeAsync()
    {
        (_registry.Issuer.Mood, _registry.Issuer.Jwks) = (IssuerMood.Well, null);
        _registry.Issuer.Rotate(id: Guid.NewGuid().ToString());
        _registry.Time.Advance(TimeSpan.FromSeconds(10));
        return default;
    }

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task RotatedKey_IsFetched_AndTheWithdrawnOneIsNotTakenAnyMore()
    {
        var old = _registry.Issuer.Token();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(old));

        _registry.Time.Advance(TimeSpan.FromSeconds(10));
        _registry.Issuer.Rotate();

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_registry.Issuer.Token()));
        _registry.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(old));
    }

    [Fact]
    public async Task UnknownKeys_AskTheIssuerOnceInTenSeconds_HoweverManyCome()
    {
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_registry.Issuer.Token()));
        var before = Fetches();
        for (var round = 1; round <= 3; round++)
        {
            _registry.Time.Advance(TimeSpan.FromSeconds(10));
            var tokens = Enumerable.Range(0, 20).Select(i =>
                Jwt.Sign(Forgery.Mine, $$"""{"alg":"ES256","kid":"unknown-{{round}}-{{i}}"}""", _registry.Issuer.Claims()));
            var answers = await Task.WhenAll(tokens.Select(StatusAsync));
            Assert.All(answers, status => Assert.Equal(HttpStatusCode.Unauthorized, status));
            Assert.Equal(before + round, Fetches());
        }
    }

    [Fact]
    public async Task IssuerAway_KnownKeysHoldForADay_AndThenNobodyCanSay()
    {
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_registry.Issuer.Token()));
        _registry.Issuer.Mood = IssuerMood.Away;

        _registry.Time.Advance(TimeSpan.FromHours(23));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_registry.Issuer.Token()));
        _registry.Time.Advance(TimeSpan.FromHours(1));
        await AssertUnavailableAsync(_registry.Issuer.Token());

        // The other issuer does not suffer.
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(_registry.Other.Token()));
        _registry.Issuer.Mood = IssuerMood.Well;
        _registry.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_registry.Issuer.Token()));
    }

    [Fact]
    public async Task IssuerAway_AKeyThatMayBeNew_IsNotCalledWrong()
    {
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_registry.Issuer.Token()));
        _registry.Issuer.Rotate();
        _registry.Issuer.Mood = IssuerMood.Away;
        _registry.Time.Advance(TimeSpan.FromSeconds(10));

        await AssertUnavailableAsync(_registry.Issuer.Token());
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task IssuerThatNeverAnswers_IsGivenUp()
    {
        _registry.Issuer.Rotate();
        _registry.Issuer.Mood = IssuerMood.Silent;
        _registry.Time.Advance(TimeSpan.FromSeconds(10));
        await AssertUnavailableAsync(_registry.Issuer.Token());
    }

    [Theory]
    [InlineData("RSA 2048", "RS256", 200)]
    [InlineData("RSA 2048", "PS256", 200)]
    [InlineData("RSA 1024", "RS256", 503)]
    [InlineData("EC 256", "ES256", 200)]
    [InlineData("EC 384", "ES384", 200)]
    [InlineData("EC 521", "ES512", 200)]
    [InlineData("EC 384", "ES256", 401)]
    [InlineData("EC 256, use enc", "ES256", 503)]
    [InlineData("EC 256, key_ops sign", "ES256", 503)]
    [InlineData("EC 256, key_ops verify", "ES256", 200)]
    [InlineData("EC 256, alg ES384", "ES256", 401)]
    [InlineData("RSA 2048, alg RS256", "PS256", 401)]
    public async Task Keys_AreTaken_WhereTheyMayVerify(string kind, string algorithm, int status)
    {
        var size = int.Parse(kind.Split(' ', ',')[1], null);
        using AsymmetricAlgorithm key = kind.StartsWith("RSA", StringComparison.Ordinal) ? RSA.Create(size) : ECDsa.Create(CurveOf(size));
        var id = Guid.NewGuid().ToString();
        var more = kind.Split(", ").ElementAtOrDefault(1)?.Split(' ') switch
        {
            ["key_ops", var word] => $",\"key_ops\":[\"{word}\"]",
            [var name, var word] => $",\"{name}\":\"{word}\"",
            _ => "",
        };
        _registry.Issuer.Jwks = $$"""{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"secret"},{"kty":"new"},7,{{Jwt.PublicJson(key, id, more)}}]}""";
        _registry.Time.Advance(TimeSpan.FromSeconds(10));

        var padding = algorithm == "PS256" ? RSASignaturePadding.Pss : null;
        var token = Jwt.Sign(key, $$"""{"alg":"{{algorithm}}","kid":"{{id}}"}""", _registry.Issuer.Claims(), padding);

        Assert.Equal(status, (int)await StatusAsync(token));
        var secret = Jwt.SignWithSecret("secret"u8.ToArray(), """{"alg":"HS256","kid":"secret"}""", _registry.Issuer.Claims());
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(secret));
    }

    [Fact]
    public async Task IssuerThatIsNotConfigured_IsNeverAsked()
    {
        await using var stranger = await TestIssuer.StartAsync(_registry.Time);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(stranger.Token()));
        Assert.Empty(stranger.Requests);
    }

    private int Fetches() => _registry.Issuer.Requests.Count(path => path == "/keys");

    private async Task<HttpStatusCode> StatusAsync(string token) =>
        (await _registry.GetAsync("/v2/", KeylessRegistry.Basic(token))).Status;

    private Task AssertUnavailableAsync(string token) => IssuerServersTests.AssertUnavailableAsync(_registry.Server, "ci", token);

    private static ECCurve CurveOf(int size) => size switch
    {
        256 => ECCurve.NamedCurves.nistP256,
        384 => ECCurve.NamedCurves.nistP384,
        _ => ECCurve.NamedCurves.nistP521,
    };
}
