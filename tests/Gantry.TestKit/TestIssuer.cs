using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gantry.TestKit;

/// <summary>How an issuer behaves when it is asked for its keys.</summary>
public enum IssuerMood
{
    Well,

    /// <summary>Hangs up.</summary>
    Away,

    /// <summary>Takes the request and never answers.</summary>
    Silent,

    /// <summary>Sends the reader to another path of the same host, where the keys are.</summary>
    Redirects,

    /// <summary>Keys, and then 10 MB of spaces.</summary>
    Huge,
}

/// <summary>
/// An issuer of tokens in this process: discovery document, key set, and a pair of keys to sign with. It signs by the
/// clock that it is given.
/// </summary>
public sealed class TestIssuer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource _stopping = new();

    private TestIssuer(WebApplication app, TimeProvider time) => (_app, _time) = (app, time);

    /// <summary>Its <c>iss</c>.</summary>
    public string Url => _app.Urls.First();

    public AsymmetricAlgorithm Key { get; private set; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string KeyId { get; private set; } = "key-1";

    public string Algorithm => Key is RSA ? "RS256" : $"ES{(Key.KeySize == 521 ? 512 : Key.KeySize)}";

    public IssuerMood Mood { get; set; }

    /// <summary>What the discovery document says instead of the truth.</summary>
    public string? ClaimedIssuer { get; set; }

    /// <summary>The same for the address of the keys.</summary>
    public string? ClaimedKeys { get; set; }

    /// <summary>The whole key set instead of the one key.</summary>
    public string? Jwks { get; set; }

    /// <summary>The Authorization header without which it answers 403; null: none is needed.</summary>
    public string? WantedAuthorization { get; set; }

    /// <summary>The paths that were asked for.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    public string Header => $$"""{"alg":"{{Algorithm}}","typ":"JWT","kid":"{{KeyId}}"}""";

    public static async Task<TestIssuer> StartAsync(TimeProvider? time = null, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null) listen.UseHttps(certificate);
        }));
        var app = builder.Build();
        var issuer = new TestIssuer(app, time ?? TimeProvider.System);
        app.Run(issuer.AnswerAsync);
        await app.StartAsync();
        return issuer;
    }

    /// <summary>The settings that make it known to a registry.</summary>
    public string[] Settings(string name, params string[] more) =>
        [$"Keyless:Issuers:{name}:Issuer={Url}", .. more.Select(setting => $"Keyless:Issuers:{name}:{setting}")];

    /// <summary>From now on another key signs, and it alone is shown.</summary>
    public void Rotate(AsymmetricAlgorithm? key = null, string? id = null)
    {
        Key = key ?? ECDsa.Create(ECCurve.NamedCurves.nistP256);
        KeyId = id ?? $"{KeyId}+";
    }

    /// <summary>The claims of an ordinary token, valid for five minutes; null takes one away.</summary>
    public string Claims(params (string Name, object? Value)[] claims)
    {
        var now = _time.GetUtcNow().ToUnixTimeSeconds();
        var all = new Dictionary<string, object>
        {
            ["iss"] = Url, ["aud"] = "gantry", ["sub"] = "someone", ["iat"] = now, ["nbf"] = now, ["exp"] = now + 300,
        };
        foreach (var (name, value) in claims)
        {
            if (value is null) all.Remove(name);
            else all[name] = value;
        }

        return JsonSerializer.Serialize(all);
    }

    public string Token(params (string Name, object? Value)[] claims) => Jwt.Sign(Key, Header, Claims(claims));

    public async ValueTask DisposeAsync()
    {
        _stopping.TrySetResult();
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        Requests.Enqueue(path);
        switch (Mood)
        {
            case IssuerMood.Away:
                context.Abort();
                return;
            case IssuerMood.Silent:
                await _stopping.Task;
                return;
            case IssuerMood.Redirects when !path.StartsWith("/moved", StringComparison.Ordinal):
                context.Response.Redirect($"{Url}/moved{path}");
                return;
        }

        if (WantedAuthorization is { } wanted && context.Request.Headers.Authorization != wanted)
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }

        context.Response.ContentType = "application/json";
        if (path.EndsWith("/.well-known/openid-configuration", StringComparison.Ordinal))
        {
            await context.Response.WriteAsync(JsonSerializer.Serialize(new Dictionary<string, string>
            {
                ["issuer"] = ClaimedIssuer ?? Url, ["jwks_uri"] = ClaimedKeys ?? $"{Url}/keys",
            }));
        }
        else if (path.EndsWith("/keys", StringComparison.Ordinal))
        {
            await context.Response.WriteAsync(Jwks ?? $$"""{"keys":[{{Jwt.PublicJson(Key, KeyId)}}]}""");
            var spaces = new string(' ', 100_000);
            for (var i = 0; Mood == IssuerMood.Huge && i < 100; i++) await context.Response.WriteAsync(spaces);
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
        }
    }
}
