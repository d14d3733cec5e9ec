using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>TLS by Kestrel's own configuration, and both versions of HTTP over it.</summary>
[Trait("Protocol", "D4.72")]
[Trait("Speed", "Slow")]
public sealed class TransportTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-test-tls-");
    private RegistryServer? _server;
    private string _thumbprint = "";

    private RegistryServer Server => _server!;

    public async ValueTask InitializeAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        _thumbprint = certificate.Thumbprint;
        var (path, keyPath) = (Path.Combine(_folder.FullName, "tls.crt"), Path.Combine(_folder.FullName, "tls.key"));
        await File.WriteAllTextAsync(path, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(keyPath, key.ExportPkcs8PrivateKeyPem());
        _server = await RegistryServer.StartAsync("Kestrel:Endpoints:Https:Url=https://127.0.0.1:0",
            $"Kestrel:Endpoints:Https:Certificate:Path={path}", $"Kestrel:Endpoints:Https:Certificate:KeyPath={keyPath}");
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task PushAndPull_OverTls_Work(string version)
    {
        using var client = Client(version);
        var repository = $"http/{version}";
        // Past the windows of HTTP/2 and every buffer on the way.
        var layer = UploadSteps.NewContent(32 * 1024 * 1024);
        var upload = await client.StartUploadAsync(repository);
        using (var patch = await client.SendChunkAsync(upload, layer)) patch.AssertStatus(HttpStatusCode.Accepted);
        using (var close = await client.CloseAsync(upload, Digest.Of(layer))) close.AssertStatus(HttpStatusCode.Created);
        var digest = await client.PushImageAsync(repository, "v1", "small"u8.ToArray());

        using var blob = await client.GetAsync($"/v2/{repository}/blobs/{Digest.Of(layer)}");
        Assert.Equal(Version.Parse(version), blob.Version);
        Assert.Equal(layer, await blob.Content.ReadAsByteArrayAsync());
        using var head = await client.SendAsync("HEAD", $"/v2/{repository}/manifests/v1");
        Assert.Equal(digest.ToString(), head.RawHeader("Docker-Content-Digest"));
        Assert.Equal(MediaTypes.OciManifest, head.RawHeader("Content-Type"));
        using var missing = await client.GetAsync($"/v2/{repository}/manifests/missing");
        await missing.AssertErrorAsync(HttpStatusCode.NotFound, "MANIFEST_UNKNOWN");
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Put_RefusedBeforeItsBody_LeavesTheConnectionFit(string version)
    {
        using var client = Client(version, account: null);
        for (var round = 0; round < 5; round++)
        {
            using var put = await client.PutManifestAsync("a/b", "v1", new byte[200_000]);
            await put.AssertErrorAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");
            Assert.Contains($"realm=\"https://127.0.0.1:{Server.Address.Port}/token\"", put.RawHeader("WWW-Authenticate"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [Trait("Protocol", "D3.57")]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Put_WithManyTags_IsTaken(string version)
    {
        using var client = Client(version);
        var repository = $"many/{version}";
        await client.PushConfigAsync(repository);
        var json = RegistryClient.ImageJson([]);
        var query = string.Join('&', Enumerable.Range(0, 235).Select(i => $"tag={i:d3}".PadRight(132, 'x')));

        using var put = await client.PutManifestAsync(repository, $"{Digest.Of(Encoding.UTF8.GetBytes(json))}?{query}", json);

        put.AssertStatus(HttpStatusCode.Created);
        Assert.Equal(235, put.Headers.GetValues("OCI-Tag").Count());
    }

    [Fact]
    public async Task TwoVersions_OnOnePort_ServeManyRequestsAtOnce()
    {
        using var old = Client("1.1");
        using var @new = Client("2.0");
        await old.PushImageAsync("a/b", "v1");
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => (i % 2 == 0 ? old : @new).GetByteArrayAsync("/v2/a/b/manifests/v1")));
        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
    }

    private HttpClient Client(string version, string? account = "admin")
    {
        var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                // This one certificate, whoever signed it.
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2 shown && shown.Thumbprint == _thumbprint,
            },
        })
        {
            BaseAddress = Server.Address, DefaultRequestVersion = Version.Parse(version), DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (account is not null) client.DefaultRequestHeaders.Authorization = RegistryServer.Basic(account, RegistryServer.Password);
        return client;
    }
}
