using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace Gantry.Server.Tests.Auth;

/// <summary>
/// A provider that misbehaves as a test tells it to; whatever it is not told, it does right. It sends no browser
/// anywhere: a test takes state and nonce out of the registry's request, and calls the callback itself.
/// </summary>
internal sealed class FakeProvider : IAsyncDisposable
{
    public const string ClientId = "gantry", Code = "any";

    private readonly WebApplication _app;

    private FakeProvider(WebApplication app) => _app = app;

    public string Issuer => _app.Urls.First();

    /// <summary>The key it shows, as <c>k1</c>.</summary>
    public RSA Key { get; } = RSA.Create(2048);

    public ECDsa CurveKey { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>Makes the ID token of a good one's claims.</summary>
    public Func<JsonObject, string> Token { get; set; } = claims => throw new InvalidOperationException($"no token is set for {claims}");

    public IResult? TokenAnswer { get; set; }

    public JsonObject? Profile { get; set; }

    /// <summary>Answers to <c>/NAME/.well-known/openid-configuration</c>, in place of a provider's directory.</summary>
    public Dictionary<string, Func<IResult>> Directories { get; } = [];

    public static async Task<FakeProvider> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var fake = new FakeProvider(app);
        app.MapGet("/.well-known/openid-configuration", () => Json(fake.Describe()));
        app.MapGet("/{name}/.well-known/openid-configuration", (string name) => fake.Directories[name]());
        app.MapGet("/keys", fake.Keys);
        app.MapPost("/token", () => fake.TokenAnswer ?? fake.Tokens());
        app.MapPost("/moved", fake.Tokens);
        app.MapGet("/userinfo", () => fake.Profile is { } profile ? Json(profile) : Results.NotFound());
        await app.StartAsync();
        return fake;
    }

    public const string AccessToken = "access-token";

    /// <summary>The nonce of the sign-on that runs.</summary>
    public string Nonce { get; set; } = "";

    /// <summary>What a good directory says of a provider with this path.</summary>
    public JsonObject Describe(string path = "") => new()
    {
        ["issuer"] = Issuer + path, ["authorization_endpoint"] = $"{Issuer}/authorize?own=1", ["token_endpoint"] = $"{Issuer}/token",
        ["jwks_uri"] = $"{Issuer}/keys", ["userinfo_endpoint"] = $"{Issuer}/userinfo",
    };

    /// <summary>A token of this header and these claims, signed as the header says.</summary>
    public string Sign(JsonObject claims, string algorithm = "RS256", JsonObject? header = null, RSA? key = null)
    {
        header ??= new JsonObject { ["alg"] = algorithm, ["kid"] = algorithm[0] == 'E' ? "k2" : "k1", ["typ"] = "JWT" };
        return Sign(claims.ToJsonString(), algorithm, header, key);
    }

    public string Sign(string claims, string algorithm, JsonObject header, RSA? key = null)
    {
        var text = $"{Encoded(header.ToJsonString())}.{Encoded(claims)}";
        var bytes = Encoding.ASCII.GetBytes(text);
        var hash = algorithm[2..] switch { "384" => HashAlgorithmName.SHA384, "512" => HashAlgorithmName.SHA512, _ => HashAlgorithmName.SHA256 };
        var signature = algorithm[..2] switch
        {
            "RS" => (key ?? Key).SignData(bytes, hash, RSASignaturePadding.Pkcs1),
            "PS" => (key ?? Key).SignData(bytes, hash, RSASignaturePadding.Pss),
            "ES" => CurveKey.SignData(bytes, hash),
            _ => [],
        };
        return $"{text}.{WebEncoders.Base64UrlEncode(signature)}";
    }

    public static string Encoded(string text) => WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes(text));

    /// <summary>Signs in as far as the callback's answer.</summary>
    public async Task<HttpResponseMessage> SignInAsync(Browser browser, Uri registry)
    {
        using var login = await browser.GetAsync("/sso/fake/login");
        var query = HttpUtility.ParseQueryString(login.Headers.Location!.Query);
        Assert.Equal("1", query["own"]);
        Nonce = query["nonce"]!;
        return await browser.SendAsync(HttpMethod.Get, new Uri(registry, $"/sso/fake/callback?code={Code}&state={query["state"]}"));
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Key.Dispose();
        CurveKey.Dispose();
    }

    private JsonObject Claims()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        return new JsonObject
        {
            ["iss"] = Issuer, ["aud"] = ClientId, ["sub"] = "somebody", ["nonce"] = Nonce, ["iat"] = now, ["exp"] = now + 300,
            ["preferred_username"] = "somebody", ["groups"] = new JsonArray("staff"),
        };
    }

    private IResult Tokens() => Json(new JsonObject
    {
        ["access_token"] = AccessToken, ["token_type"] = "Bearer", ["id_token"] = Token(Claims()),
    });

    private IResult Keys()
    {
        var (rsa, curve) = (Key.ExportParameters(false), CurveKey.ExportParameters(false));
        return Json(new JsonObject
        {
            ["keys"] = new JsonArray(
                new JsonObject
                {
                    ["kty"] = "RSA", ["kid"] = "k1", ["use"] = "sig",
                    ["n"] = WebEncoders.Base64UrlEncode(rsa.Modulus!), ["e"] = WebEncoders.Base64UrlEncode(rsa.Exponent!),
                },
                new JsonObject
                {
                    ["kty"] = "EC", ["kid"] = "k2", ["crv"] = "P-256",
                    ["x"] = WebEncoders.Base64UrlEncode(curve.Q.X!), ["y"] = WebEncoders.Base64UrlEncode(curve.Q.Y!),
                },
                // A shared secret that was published by mistake must not become a key.
                new JsonObject { ["kty"] = "oct", ["kid"] = "k3", ["k"] = Encoded("a secret that everybody can read") }),
        });
    }

    private static IResult Json(JsonObject value) => Results.Content(value.ToJsonString(), "application/json");
}
