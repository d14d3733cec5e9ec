using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gantry.Core.Access;
using Gantry.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
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

    [Fact]
    public async Task CaFile_IsTrustedInPlaceOfTheSystems()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=the test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        await using var app = builder.Build();
        app.MapGet("/", () => Results.Content("{}"));
        await app.StartAsync(TestContext.Current.CancellationToken);
        var address = app.Urls.First();

        using var trusting = new ProviderHttp(new Uri(address), file);
        Assert.Equal("{}", await trusting.GetDocumentAsync(address, TestContext.Current.CancellationToken));
        using var other = new ProviderHttp(new Uri(address), "");
        var fault = await Assert.ThrowsAsync<SignOnException>(() => other.GetDocumentAsync(address, default));
        Assert.Equal(SignOnFault.Unreachable, fault.Fault);
        // Of an https issuer every address has to be one.
        await Assert.ThrowsAsync<SignOnException>(() => trusting.GetDocumentAsync(_app.Urls.First() + "/keys", default));
        File.Delete(file);
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
