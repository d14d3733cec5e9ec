using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gantry.TestKit;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Gantry.Server.Tests.Auth;

/// <summary>A registry, and a provider for it that tests tell what to answer.</summary>
public sealed class HostileProvider : IAsyncLifetime
{
    private static readonly string[] Directories = ["other", "endless", "text", "array", "deep", "plain", "away", "refuses", "broken"];

    internal FakeProvider Fake { get; private set; } = null!;

    internal RegistryServer Registry { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Fake = await FakeProvider.StartAsync();
        Registry = await RegistryServer.StartAsync(
        [
            $"SingleSignOn:Providers:fake:Issuer={Fake.Issuer}", $"SingleSignOn:Providers:fake:ClientId={FakeProvider.ClientId}",
            .. Directories.SelectMany(name => new[]
            {
                $"SingleSignOn:Providers:{name}:Issuer={Fake.Issuer}/{name}", $"SingleSignOn:Providers:{name}:ClientId=gantry",
            }),
            // A port that nobody listens on.
            "SingleSignOn:Providers:dead:Issuer=http://127.0.0.1:1", "SingleSignOn:Providers:dead:ClientId=gantry",
        ]);
    }

    public async ValueTask DisposeAsync()
    {
        await Registry.DisposeAsync();
        await Fake.DisposeAsync();
    }
}

/// <summary>A registry whose provider answers as no honest one would.</summary>
public sealed class HostileProviderTests : IClassFixture<HostileProvider>
{
    private readonly FakeProvider _fake;
    private readonly RegistryServer _registry;

    public HostileProviderTests(HostileProvider hostile)
    {
        (_fake, _registry) = (hostile.Fake, hostile.Registry);
        (_fake.TokenAnswer, _fake.Profile) = (null, null);
    }

    /// <summary>The others prove something only while these pass.</summary>
    [Theory]
    [InlineData("RS256")]
    [InlineData("RS512")]
    [InlineData("PS256")]
    [InlineData("PS384")]
    [InlineData("ES256")]
    public async Task IdToken_AsItShouldBe_IsTaken(string algorithm)
    {
        _fake.Token = claims => _fake.Sign(claims, algorithm);
        await SignedInAsync();
    }

    [Fact]
    public async Task IdToken_WithinTheSkewOfClocks_IsTaken()
    {
        _fake.Token = claims => _fake.Sign(With(With(claims, "exp", Now - 30), "iat", Now + 30));
        await SignedInAsync();
    }

    [Fact]
    public async Task IdToken_WithoutKeyId_ForUsAmongOthers_WithTheHashOfItsAccessToken_IsTaken()
    {
        var half = SHA256.HashData(Encoding.ASCII.GetBytes(FakeProvider.AccessToken))[..16];
        _fake.Token = claims => _fake.Sign(
            With(With(With(claims, "aud", new JsonArray("other", FakeProvider.ClientId)), "azp", FakeProvider.ClientId),
                "at_hash", WebEncoders.Base64UrlEncode(half)),
            header: new JsonObject { ["alg"] = "RS256" });
        await SignedInAsync();
    }

    [Theory]
    [InlineData("alg none", "not signed with a public key")]
    [InlineData("alg none, as it may be written", "not signed with a public key")]
    [InlineData("no alg", "not signed with a public key")]
    [InlineData("HS256 with the public key", "not signed with a public key")]
    [InlineData("HS256 with the published secret", "not signed with a public key")]
    [InlineData("no signature", "is not")]
    [InlineData("another's signature", "is not signed by the provider")]
    [InlineData("another's claims", "is not signed by the provider")]
    [InlineData("RSA key for ECDSA", "a key that the provider does not show")]
    [InlineData("unknown key", "a key that the provider does not show")]
    [InlineData("key of a path", "a key that the provider does not show")]
    [InlineData("five parts", "is not a signed token")]
    [InlineData("two parts", "is not a signed token")]
    [InlineData("no token", "is not a signed token")]
    [InlineData("200 KiB", "is not a signed token")]
    [InlineData("deep", "is none")]
    [InlineData("array", "is none")]
    [InlineData("crit", "another kind of token")]
    [InlineData("access token", "another kind of token")]
    [InlineData("other issuer", "another issuer")]
    [InlineData("issuer with slash", "another issuer")]
    [InlineData("no issuer", "another issuer")]
    [InlineData("other audience", "another client")]
    [InlineData("no audience", "another client")]
    [InlineData("two audiences without azp", "another client")]
    [InlineData("azp of another", "another client")]
    [InlineData("expired", "not valid now")]
    [InlineData("no expiry", "not valid now")]
    [InlineData("expiry in words", "is not valid")]
    [InlineData("not yet", "not valid now")]
    [InlineData("issued tomorrow", "when it was issued")]
    [InlineData("never issued", "when it was issued")]
    [InlineData("other nonce", "(nonce)")]
    [InlineData("no nonce", "(nonce)")]
    [InlineData("other at_hash", "(at_hash)")]
    [InlineData("no subject", "whom it means")]
    [InlineData("empty subject", "whom it means")]
    [InlineData("subject of 600", "whom it means")]
    [InlineData("subject of half a character", "whom it means")]
    public async Task IdToken_ThatIsNot_IsRefused(string fault, string words)
    {
        using var other = RSA.Create(2048);
        _fake.Token = claims => Faulty(fault, claims, other);
        await RefusedAsync(HttpStatusCode.BadGateway, words);
    }

    private string Faulty(string fault, JsonObject claims, RSA other) => fault switch
    {
        "alg none" => _fake.Sign(claims, "none", new JsonObject { ["alg"] = "none" }),
        "alg none, as it may be written" => _fake.Sign(claims, "none", new JsonObject { ["alg"] = "nOnE", ["kid"] = "k1" }),
        "no alg" => _fake.Sign(claims, header: new JsonObject { ["kid"] = "k1" }),
        "HS256 with the public key" => Hmac(claims, "k1", Encoding.ASCII.GetBytes(_fake.Key.ExportSubjectPublicKeyInfoPem())),
        "HS256 with the published secret" => Hmac(claims, "k3", "a secret that everybody can read"u8.ToArray()),
        "no signature" => _fake.Sign(claims)[..(_fake.Sign(claims).LastIndexOf('.') + 1)],
        "another's signature" => _fake.Sign(claims, key: other),
        "another's claims" => Swapped(_fake.Sign(claims), With(claims, "sub", "admin")),
        "RSA key for ECDSA" => _fake.Sign(claims, "ES256", new JsonObject { ["alg"] = "ES256", ["kid"] = "k1" }),
        "unknown key" => _fake.Sign(claims, header: new JsonObject { ["alg"] = "RS256", ["kid"] = "k9" }),
        "key of a path" => _fake.Sign(claims, header: new JsonObject { ["alg"] = "RS256", ["kid"] = "../../dev/null" }),
        "five parts" => _fake.Sign(claims) + ".a.b",
        "two parts" => "e30.e30",
        "no token" => "",
        "200 KiB" => _fake.Sign(With(claims, "more", new string('m', 150 * 1024))),
        "deep" => _fake.Sign(new string('[', 5000) + new string(']', 5000), "RS256", new JsonObject { ["alg"] = "RS256", ["kid"] = "k1" }),
        "array" => _fake.Sign("[]", "RS256", new JsonObject { ["alg"] = "RS256", ["kid"] = "k1" }),
        "crit" => _fake.Sign(claims, header: new JsonObject { ["alg"] = "RS256", ["kid"] = "k1", ["crit"] = new JsonArray("b64") }),
        "access token" => _fake.Sign(claims, header: new JsonObject { ["alg"] = "RS256", ["kid"] = "k1", ["typ"] = "at+jwt" }),
        "other issuer" => _fake.Sign(With(claims, "iss", "https://issuer.example")),
        "issuer with slash" => _fake.Sign(With(claims, "iss", _fake.Issuer + "/")),
        "no issuer" => _fake.Sign(With(claims, "iss", null)),
        "other audience" => _fake.Sign(With(claims, "aud", "another")),
        "no audience" => _fake.Sign(With(claims, "aud", null)),
        "two audiences without azp" => _fake.Sign(With(claims, "aud", new JsonArray(FakeProvider.ClientId, "another"))),
        "azp of another" => _fake.Sign(With(claims, "azp", "another")),
        "expired" => _fake.Sign(With(claims, "exp", Now - 62)),
        "no expiry" => _fake.Sign(With(claims, "exp", null)),
        "expiry in words" => _fake.Sign(With(claims, "exp", "tomorrow")),
        "not yet" => _fake.Sign(With(claims, "nbf", Now + 90)),
        "issued tomorrow" => _fake.Sign(With(claims, "iat", Now + 86400)),
        "never issued" => _fake.Sign(With(claims, "iat", null)),
        "other nonce" => _fake.Sign(With(claims, "nonce", "another")),
        "no nonce" => _fake.Sign(With(claims, "nonce", null)),
        "other at_hash" => _fake.Sign(With(claims, "at_hash", "AAAAAAAAAAAAAAAAAAAAAA")),
        "no subject" => _fake.Sign(With(claims, "sub", null)),
        "empty subject" => _fake.Sign(With(claims, "sub", "")),
        "subject of 600" => _fake.Sign(With(claims, "sub", new string('s', 600))),
        "subject of half a character" => _fake.Sign(
            claims.ToJsonString().Replace("\"somebody\"", "\"\\ud800\"", StringComparison.Ordinal), "RS256",
            new JsonObject { ["alg"] = "RS256", ["kid"] = "k1" }),
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

    [Fact]
    public async Task Profile_IsAsked_ForWhatTheIdTokenLacks()
    {
        _fake.Token = claims => _fake.Sign(With(With(With(claims, "groups", null), "preferred_username", null), "sub", "brief"));
        _fake.Profile = new JsonObject { ["sub"] = "brief", ["preferred_username"] = "from-profile", ["groups"] = "one-group" };
        await SignedInAsync();
        Assert.Equal(["fake/one-group"], await _registry.TextsAsync(
            "SELECT g.name FROM account_groups g JOIN accounts a ON a.id = g.account_id WHERE a.name = 'from-profile'"));
    }

    [Fact]
    public async Task Profile_OfSomebodyElse_IsRefused()
    {
        _fake.Token = claims => _fake.Sign(With(claims, "groups", null));
        _fake.Profile = new JsonObject { ["sub"] = "another", ["groups"] = new JsonArray("admins") };
        await RefusedAsync(HttpStatusCode.BadGateway, "somebody else's profile");
    }

    [Fact]
    public async Task Groups_ThatAreNoTexts_AreNone()
    {
        _fake.Token = claims => _fake.Sign(With(
            With(With(claims, "sub", "odd"), "preferred_username", "odd"),
            "groups", new JsonArray(7, "odd", null, new JsonObject(), "odd")));
        await SignedInAsync();
        Assert.Equal(["fake/odd"], await _registry.TextsAsync(
            "SELECT g.name FROM account_groups g JOIN accounts a ON a.id = g.account_id WHERE a.name = 'odd'"));
    }

    [Fact]
    public async Task TokenEndpoint_ThatSendsElsewhere_IsNotFollowed()
    {
        _fake.Token = claims => _fake.Sign(claims);
        _fake.TokenAnswer = Results.Redirect($"{_fake.Issuer}/moved", preserveMethod: true);
        await RefusedAsync(HttpStatusCode.BadGateway, "not answer in JSON");
    }

    [Fact]
    public async Task TokenEndpoint_ThatIsOutOfOrder_IsSaidToBe()
    {
        _fake.TokenAnswer = Results.StatusCode(500);
        await RefusedAsync(HttpStatusCode.ServiceUnavailable, "out of order");
    }

    [Fact]
    public async Task TokenEndpoint_ThatDoesNotKnowTheRegistry_IsSaidTo_WithoutWhatItSaysBeside()
    {
        _fake.TokenAnswer = Results.Json(new { error = "invalid_client", error_description = "<b>beside</b>" }, statusCode: 401);
        var text = await RefusedAsync(HttpStatusCode.BadGateway, "invalid_client");
        Assert.DoesNotContain("beside", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Error_WithAnythingElseThanACode_IsNotRepeated()
    {
        _fake.Token = claims => _fake.Sign(claims);
        using var browser = new Browser(_registry.Address);
        using var login = await browser.GetAsync("/sso/fake/login");
        var state = System.Web.HttpUtility.ParseQueryString(login.Headers.Location!.Query)["state"];
        using var answer = await browser.GetAsync($"/sso/fake/callback?state={state}&error=call+0800+evil");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.DoesNotContain("evil", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other", HttpStatusCode.BadGateway, "another issuer's")]
    [InlineData("endless", HttpStatusCode.BadGateway, "too much")]
    [InlineData("text", HttpStatusCode.BadGateway, "not answer in JSON")]
    [InlineData("array", HttpStatusCode.BadGateway, "something else than an object")]
    [InlineData("deep", HttpStatusCode.BadGateway, "not answer in JSON")]
    [InlineData("plain", HttpStatusCode.BadGateway, "not https")]
    [InlineData("away", HttpStatusCode.BadGateway, "not https")]
    [InlineData("refuses", HttpStatusCode.BadGateway, "refuses to say")]
    [InlineData("broken", HttpStatusCode.ServiceUnavailable, "out of order")]
    [InlineData("dead", HttpStatusCode.ServiceUnavailable, "does not answer")]
    public async Task Directory_ThatIsNot_IsRefused(string name, HttpStatusCode status, string words)
    {
        _fake.Directories["other"] = () => Results.Content(_fake.Describe("/another").ToJsonString());
        _fake.Directories["endless"] = () => Results.Content(With(_fake.Describe("/endless"), "more", new string('m', 300 * 1024)).ToJsonString());
        _fake.Directories["text"] = () => Results.Content("<html>");
        _fake.Directories["array"] = () => Results.Content("[]");
        _fake.Directories["deep"] = () => Results.Content("{\"a\":" + new string('[', 50_000) + new string(']', 50_000) + "}");
        _fake.Directories["plain"] = () => Results.Content(With(_fake.Describe("/plain"), "token_endpoint", "http://token.example/").ToJsonString());
        _fake.Directories["away"] = () => Results.Content(With(_fake.Describe("/away"), "jwks_uri", "file:///etc/passwd").ToJsonString());
        _fake.Directories["refuses"] = () => Results.Json(new { error = "no" }, statusCode: 403);
        _fake.Directories["broken"] = () => Results.StatusCode(502);

        using var browser = new Browser(_registry.Address);
        using var answer = await browser.GetAsync($"/sso/{name}/login");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, $"{answer.StatusCode}: {text}");
        Assert.Contains(words, Plain(text), StringComparison.Ordinal);
        Assert.Contains("requestId", text, StringComparison.Ordinal);
        Assert.Empty(browser.SetByRegistry);
    }

    private async Task SignedInAsync()
    {
        using var browser = new Browser(_registry.Address);
        using var answer = await _fake.SignInAsync(browser, _registry.Address);
        Assert.True(answer.StatusCode == HttpStatusCode.Redirect, await answer.Content.ReadAsStringAsync());
        using var session = await browser.GetAsync("/session");
        Assert.Equal(HttpStatusCode.OK, session.StatusCode);
    }

    private async Task<string> RefusedAsync(HttpStatusCode status, string words)
    {
        using var browser = new Browser(_registry.Address);
        using var answer = await _fake.SignInAsync(browser, _registry.Address);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, $"{answer.StatusCode}: {text}");
        Assert.Contains(words, Plain(text), StringComparison.Ordinal);
        Assert.Null(browser.Cookie("gantry_session"));
        return text;
    }

    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private static string Plain(string json) => json.Replace("\\u0027", "'", StringComparison.Ordinal);

    private static JsonObject With(JsonObject claims, string name, JsonNode? value)
    {
        claims.Remove(name);
        if (value is not null) claims[name] = value;
        return claims;
    }

    private static string Hmac(JsonObject claims, string kid, byte[] secret)
    {
        var header = new JsonObject { ["alg"] = "HS256", ["kid"] = kid };
        var text = $"{FakeProvider.Encoded(header.ToJsonString())}.{FakeProvider.Encoded(claims.ToJsonString())}";
        return $"{text}.{WebEncoders.Base64UrlEncode(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(text)))}";
    }

    private static string Swapped(string token, JsonObject claims)
    {
        var parts = token.Split('.');
        return $"{parts[0]}.{FakeProvider.Encoded(claims.ToJsonString())}.{parts[2]}";
    }
}
