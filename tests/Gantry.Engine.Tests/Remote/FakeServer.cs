using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gantry.Engine.Remote.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Gantry.Engine.Tests.Remote;

/// <summary>One request as a fake server saw it.</summary>
internal sealed record Seen(string Method, string Target, string Host, string? Authorization, string? Range, string? IfRange, string Body);

/// <summary>A server on the loopback that answers as a test says, and remembers what it was asked.</summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Seen> _seen = new();

    private FakeServer(WebApplication app) => _app = app;

    public int Port => new Uri(_app.Urls.First()).Port;

    /// <summary>As an image's name has it.</summary>
    public string Host => $"127.0.0.1:{Port}";

    public IReadOnlyList<Seen> Requests => [.. _seen];

    /// <param name="tls">With a certificate: TLS.</param>
    public static async Task<FakeServer> StartAsync(Func<HttpContext, Task> answer, X509Certificate2? tls = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().UseKestrel(kestrel =>
        {
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                if (tls is not null) listen.UseHttps(tls);
            });
        });
        var app = builder.Build();
        var server = new FakeServer(app);
        app.Run(async http =>
        {
            using var reader = new StreamReader(http.Request.Body);
            server._seen.Enqueue(new Seen(http.Request.Method, http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget, http.Request.Host.Value!,
                Header(http, "Authorization"), Header(http, "Range"), Header(http, "If-Range"), await reader.ReadToEndAsync()));
            await answer(http);
        });
        await app.StartAsync();
        return server;
    }

    public static Task AnswerAsync(HttpContext http, int status, string body = "", string type = "application/json")
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = type;
        return http.Response.WriteAsync(body);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static string? Header(HttpContext http, string name) => http.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;
}

/// <summary>Names, addresses and where they really lead: a test's own Internet.</summary>
internal sealed class FakeNetwork : IDisposable
{
    private readonly ConcurrentDictionary<string, IPAddress[]> _names = new();
    private readonly ConcurrentDictionary<IPEndPoint, int> _ports = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-network-");

    public FakeNetwork()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in new[] { "registry", "auth", "store", "intranet", "metadata", "self", "mapped", "good", "empty", "evil", "wrong", "sends-inside", "sends-down" }) names.AddDnsName($"{name}.test");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        CaFile = Path.Combine(_folder.FullName, "ca.pem");
        File.WriteAllText(CaFile, made.ExportCertificatePem());
        Certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>For the hosts of <c>.test</c> that tests name, and 127.0.0.1.</summary>
    public X509Certificate2 Certificate { get; }

    public string CaFile { get; }

    /// <summary>Every connection that was tried, whether anybody listens there or not.</summary>
    public ConcurrentQueue<IPEndPoint> Dialled { get; } = new();

    public Dialing Dialing => new(
        (host, _) => Task.FromResult(_names.TryGetValue(host, out var addresses) ? addresses : []),
        async (to, cancellationToken) =>
        {
            Dialled.Enqueue(to);
            return await Dialing.System.Connect(new IPEndPoint(IPAddress.Loopback, _ports.TryGetValue(to, out var port) ? port : to.Port), cancellationToken);
        });

    /// <summary>A name has this address, and behind it, at 443 and 80, is this server (null: nobody).</summary>
    public FakeNetwork Add(string host, string address, FakeServer? server = null)
    {
        var ip = IPAddress.Parse(address);
        _names[host] = [ip];
        foreach (var port in new[] { 443, 80 }) _ports[new IPEndPoint(ip, port)] = server?.Port ?? 1;
        return this;
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _folder.Delete(recursive: true);
    }
}
