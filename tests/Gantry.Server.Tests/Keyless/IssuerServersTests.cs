using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Keyless;

/// <summary>One registry with many issuers, most of which were never well.</summary>
public sealed class ManyIssuers : IAsyncLifetime
{
    private readonly Dictionary<string, TestIssuer> _issuers = [];
    private readonly List<string> _settings = [];
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("gantry-test-");

    public RegistryServer Registry { get; private set; } = null!;

    public ManualTime Time { get; } = new();

    public string BearerTokenFile => Path.Combine(_files.FullName, "token");

    public TestIssuer this[string name] => _issuers[name];

    public async ValueTask InitializeAsync()
    {
        await AddAsync("away", issuer => issuer.Mood = IssuerMood.Away);
        await AddAsync("redirects", issuer => issuer.Mood = IssuerMood.Redirects);
        await AddAsync("huge", issuer => issuer.Mood = IssuerMood.Huge);
        await AddAsync("no-json", issuer => issuer.Jwks = "<html>");
        await AddAsync("no-keys", issuer => issuer.Jwks = """{"keys":[]}""");
        await AddAsync("claims-another-issuer", issuer => issuer.ClaimedIssuer = "https://issuer.example");
        await AddAsync("claims-another-host", issuer => issuer.ClaimedKeys = "http://127.0.0.1:1/keys");
        await AddAsync("claims-plain-http", issuer => issuer.ClaimedKeys = "http://issuer.example/keys");
        await AddAsync("claims-a-file", issuer => issuer.ClaimedKeys = "file:///etc/passwd");
        await AddAsync("claims-no-url", issuer => issuer.ClaimedKeys = "keys");
        await AddAsync("rs256-alone", _ => { }, _ => "Algorithms:0=RS256");
        await File.WriteAllTextAsync(BearerTokenFile, "first\n");
        await AddAsync(
            "with-token", issuer => issuer.WantedAuthorization = "Bearer second", issuer => $"JwksUri={issuer.Url}/keys",
            _ => $"BearerTokenFile={BearerTokenFile}");
        foreach (var name in new[] { "right-ca", "wrong-ca" })
        {
            var (certificate, another) = (SelfSigned(), SelfSigned());
            var file = Path.Combine(_files.FullName, name);
            await File.WriteAllTextAsync(file, (name == "right-ca" ? certificate : another).ExportCertificatePem());
            _issuers[name] = await TestIssuer.StartAsync(Time, certificate);
            _settings.AddRange(_issuers[name].Settings(name, $"CaFile={file}"));
        }

        Registry = await RegistryServer.StartAsync(Time, [.. _settings]);
    }

    public async ValueTask DisposeAsync()
    {
        await Registry.DisposeAsync();
        foreach (var issuer in _issuers.Values) await issuer.DisposeAsync();
        _files.Delete(recursive: true);
    }

    private async Task AddAsync(string name, Action<TestIssuer> change, params Func<TestIssuer, string>[] settings)
    {
        _issuers[name] = await TestIssuer.StartAsync(Time);
        change(_issuers[name]);
        _settings.AddRange(_issuers[name].Settings(name, [.. settings.Select(setting => setting(_issuers[name]))]));
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
    }
}

/// <summary>Where an issuer's keys are fetched, and what is not followed on the way.</summary>
public sealed class IssuerServersTests(ManyIssuers issuers) : IClassFixture<ManyIssuers>
{
    [Theory]
    [InlineData("away")]
    [InlineData("redirects")]
    [InlineData("huge")]
    [InlineData("no-json")]
    [InlineData("no-keys")]
    [InlineData("claims-another-issuer")]
    [InlineData("claims-another-host")]
    [InlineData("claims-plain-http")]
    [InlineData("claims-a-file")]
    [InlineData("claims-no-url")]
    [InlineData("wrong-ca")]
    public async Task IssuerWhoseKeysCannotBeHad_IsUnavailable_NotWrong(string name)
    {
        await AssertUnavailableAsync(issuers.Registry, name, issuers[name].Token());
        Assert.DoesNotContain(issuers[name].Requests, path => path.StartsWith("/moved", StringComparison.Ordinal));
        if (name.StartsWith("claims", StringComparison.Ordinal)) Assert.DoesNotContain("/keys", issuers[name].Requests);
    }

    [Fact]
    public async Task CaFile_VouchesForTheIssuersServer()
    {
        Assert.StartsWith("https://", issuers["right-ca"].Url, StringComparison.Ordinal);
        Assert.Contains("no trust", await RefusalAsync("right-ca"));
    }

    [Fact]
    public async Task JwksUri_IsUsedInsteadOfDiscovery_WithTheTokenOfItsFile()
    {
        await AssertUnavailableAsync(issuers.Registry, "with-token", issuers["with-token"].Token());

        // Kubernetes writes a new one into the file from time to time.
        await File.WriteAllTextAsync(issuers.BearerTokenFile, "second\n");
        issuers.Time.Advance(TimeSpan.FromSeconds(10));

        Assert.Contains("no trust", await RefusalAsync("with-token"));
        Assert.DoesNotContain(issuers["with-token"].Requests, path => path.Contains("well-known", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Algorithms_OfTheConfiguration_AloneAreTaken()
    {
        Assert.Equal("ES256", issuers["rs256-alone"].Algorithm);
        Assert.Contains("algorithm (alg) is not accepted", await RefusalAsync("rs256-alone"));
    }

    internal static async Task AssertUnavailableAsync(RegistryServer registry, string issuer, string token)
    {
        using var client = registry.Client("oidc", token);
        foreach (var path in new[] { "/v2/", "/token" })
        {
            using var answer = await client.GetAsync(path);
            var body = await answer.Content.ReadAsStringAsync();
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(10), answer.Headers.RetryAfter!.Delta);
            Assert.Contains("\"UNAVAILABLE\"", body);
            Assert.Contains($"issuer ({issuer}) cannot be reached", body);
        }
    }

    private async Task<string> RefusalAsync(string name)
    {
        using var client = issuers.Registry.Client("oidc", issuers[name].Token());
        using var answer = await client.GetAsync("/v2/");
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }
}
