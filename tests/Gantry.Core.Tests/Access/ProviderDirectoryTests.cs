using System.Security.Cryptography;
using Gantry.Core.Access;
using Gantry.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.IdentityModel.Tokens;

namespace Gantry.Core.Tests.Access;

/// <summary>When a provider is asked for its directory and keys, and what holds while it does not answer.</summary>
public sealed class ProviderDirectoryTests : IAsyncLifetime
{
    private readonly ManualTime _time = new();
    private WebApplication _app = null!;
    private ProviderHttp _http = null!;
    private ProviderDirectory _directory = null!;
    private string _keyId = "first";
    private bool _away;
    private int _reads;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapGet("/.well-known/openid-configuration", Directory);
        _app.MapGet("/keys", Keys);
        await _app.StartAsync();
        var issuer = _app.Urls.First();
        _http = new ProviderHttp(new Uri(issuer), "");
        _directory = new ProviderDirectory(issuer, _http, _time, NullLogger.Instance);
    }

    [Fact]
    public async Task Keys_AreReadOnce_AndAgainAfterAnHour()
    {
        Assert.Equal(0, _reads);
        for (var i = 0; i < 3; i++) Assert.Single(await KeysAsync("first"));
        Assert.Equal(1, _reads);

        _time.Advance(TimeSpan.FromMinutes(61));
        Assert.Single(await KeysAsync("first"));
        Assert.Equal(2, _reads);
    }

    [Fact]
    public async Task UnknownKey_HasThemReadAtOnce()
    {
        await KeysAsync("first");
        _keyId = "second";
        Assert.Single(await KeysAsync("second"));
        Assert.Equal(2, _reads);
    }

    [Fact]
    public async Task UnknownKey_HasThemReadAtMostEveryTwoSeconds()
    {
        for (var i = 0; i < 5; i++) Assert.Empty(await KeysAsync("unknown"));
        Assert.Equal(2, _reads);

        _time.Advance(TimeSpan.FromSeconds(2));
        for (var i = 0; i < 5; i++) Assert.Empty(await KeysAsync("unknown"));
        Assert.Equal(3, _reads);
    }

    [Fact]
    public async Task WhatWasRead_HoldsWhileTheProviderIsAway()
    {
        await KeysAsync("first");
        _away = true;
        _time.Advance(TimeSpan.FromHours(5));
        Assert.Single(await KeysAsync("first"));
        Assert.Equal(2, _reads);
    }

    [Fact]
    public async Task ProviderThatIsAway_IsAskedAgainAfterTwoSeconds()
    {
        _away = true;
        for (var i = 0; i < 3; i++)
            Assert.Equal(SignOnFault.Unreachable, (await Assert.ThrowsAsync<SignOnException>(() => KeysAsync("first"))).Fault);
        Assert.Equal(1, _reads);

        _away = false;
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Single(await KeysAsync("first"));
    }

    [Fact]
    public async Task ManyAtOnce_AreOneRequest()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => KeysAsync("first")));
        Assert.Equal(1, _reads);
    }

    public async ValueTask DisposeAsync()
    {
        _directory.Dispose();
        _http.Dispose();
        await _app.DisposeAsync();
    }

    private async Task<IReadOnlyList<SecurityKey>> KeysAsync(string id) =>
        await _directory.KeysAsync(id, _ => true, TestContext.Current.CancellationToken);

    private IResult Directory()
    {
        Interlocked.Increment(ref _reads);
        var issuer = _app.Urls.First();
        return _away
            ? Results.StatusCode(503)
            : Results.Json(new { issuer, authorization_endpoint = $"{issuer}/a", token_endpoint = $"{issuer}/t", jwks_uri = $"{issuer}/keys" });
    }

    private IResult Keys()
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = pair.ExportParameters(includePrivateParameters: false).Q;
        var key = new { kty = "EC", crv = "P-256", kid = _keyId, x = Base64UrlEncoder.Encode(point.X), y = Base64UrlEncoder.Encode(point.Y) };
        return Results.Json(new { keys = new[] { key } });
    }
}
