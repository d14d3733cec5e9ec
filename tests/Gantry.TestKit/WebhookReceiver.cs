using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gantry.TestKit;

/// <summary>One request that a receiver got, whole.</summary>
public sealed record ReceivedHook(string Path, string? ContentType, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Id => Headers["webhook-id"];

    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;
}

/// <summary>A real HTTP server on a loopback address that webhooks are sent to. It answers 200 unless told otherwise.</summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<ReceivedHook> _arrived = Channel.CreateUnbounded<ReceivedHook>();
    private readonly List<ReceivedHook> _received = [];

    private WebhookReceiver(int port, X509Certificate2? certificate)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            if (certificate is not null) listen.UseHttps(certificate);
        }));
        _app = builder.Build();
        _app.Run(ReceiveAsync);
    }

    /// <summary>What to answer, after the request was read.</summary>
    public Func<HttpContext, ReceivedHook, Task> Answer { get; set; } = (_, _) => Task.CompletedTask;

    public Uri Address => new(_app.Urls.Single());

    public string Url => $"{Address}hook";

    /// <summary>All there were until now.</summary>
    public IReadOnlyList<ReceivedHook> Received
    {
        get
        {
            lock (_received) return [.. _received];
        }
    }

    /// <param name="port">0: any that is free.</param>
    /// <param name="certificate">Null: it speaks plain HTTP.</param>
    public static async Task<WebhookReceiver> StartAsync(int port = 0, X509Certificate2? certificate = null)
    {
        var receiver = new WebhookReceiver(port, certificate);
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>The next one that nobody has asked for yet.</summary>
    public async Task<ReceivedHook> NextAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await _arrived.Reader.ReadAsync(limit.Token);
    }

    /// <summary>Answers with a status from now on.</summary>
    public void AnswerWith(int status, string body = "") => Answer = (http, _) =>
    {
        http.Response.StatusCode = status;
        return http.Response.WriteAsync(body);
    };

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        var headers = http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var hook = new ReceivedHook(http.Request.Path, http.Request.ContentType, headers, body.ToArray());
        lock (_received) _received.Add(hook);
        _arrived.Writer.TryWrite(hook);
        await Answer(http, hook);
    }
}
