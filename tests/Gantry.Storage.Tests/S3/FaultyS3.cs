using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gantry.Storage.Tests.S3;

/// <summary>What happens to a request on its way to the store.</summary>
public enum Fate
{
    Pass,

    /// <summary>503 SlowDown; the store hears nothing of it.</summary>
    SlowDown,

    /// <summary>500 InternalError; the store hears nothing of it.</summary>
    Broken,

    /// <summary>507, as of a store that is full.</summary>
    Full,

    /// <summary>The connection is cut in the middle of the request's body, or before an empty one.</summary>
    CutRequest,

    /// <summary>The store does its work, and the connection is cut before the answer.</summary>
    LoseAnswer,

    /// <summary>The connection is cut in the middle of the answer's body.</summary>
    CutAnswer,
}

/// <summary>A request that was made. <paramref name="Kind"/> is its verb with the subresource, as <c>PUT part</c>.</summary>
public sealed record Seen(string Kind, string Key, long Bytes, Fate Fate, bool HasChecksum);

/// <summary>A proxy before the tests' S3 that hands out faults, and remembers what was asked.</summary>
public sealed class FaultyS3 : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _store;

    private FaultyS3(WebApplication app, HttpClient store) => (_app, _store) = (app, store);

    public string Address => _app.Urls.First();

    /// <summary>Decides on each request.</summary>
    public Func<string, Fate> Rule { get; set; } = _ => Fate.Pass;

    public ConcurrentQueue<Seen> Requests { get; } = [];

    public static async Task<FaultyS3> StartAsync(Uri store)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, MaxConnectionsPerServer = 200 })
        {
            BaseAddress = store,
        };
        var proxy = new FaultyS3(builder.Build(), client);
        proxy._app.Run(proxy.HandleAsync);
        await proxy._app.StartAsync();
        return proxy;
    }

    /// <summary>This many requests of a kind get a fate, the rest passes.</summary>
    public void Next(int count, string kind, Fate fate)
    {
        var left = count;
        Rule = seen => seen == kind && Interlocked.Decrement(ref left) >= 0 ? fate : Fate.Pass;
    }

    public int Count(string kind) => Requests.Count(seen => seen.Kind == kind);

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _store.Dispose();
    }

    private async Task HandleAsync(HttpContext http)
    {
        var kind = KindOf(http.Request);
        var fate = Rule(kind);
        Requests.Enqueue(new Seen(kind, http.Request.Path.Value!, http.Request.ContentLength ?? 0, fate,
            http.Request.Headers.Keys.Any(name => name.StartsWith("x-amz-checksum-crc", StringComparison.OrdinalIgnoreCase))));
        switch (fate)
        {
            case Fate.SlowDown:
                await RefuseAsync(http, 503, "SlowDown");
                return;
            case Fate.Broken:
                await RefuseAsync(http, 500, "InternalError");
                return;
            case Fate.Full:
                await RefuseAsync(http, 507, "XMinioStorageFull");
                return;
            case Fate.CutRequest:
                if (http.Request.ContentLength > 1) await http.Request.Body.ReadExactlyAsync(new byte[http.Request.ContentLength.Value / 2]);
                http.Abort();
                return;
        }

        using var request = new HttpRequestMessage(new HttpMethod(http.Request.Method), http.Features.Get<IHttpRequestFeature>()!.RawTarget);
        if (http.Request.ContentLength is not null) request.Content = new StreamContent(http.Request.Body);
        foreach (var (name, values) in http.Request.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, values.AsEnumerable()))
                request.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
        }

        using var answer = await _store.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, http.RequestAborted);
        if (fate == Fate.LoseAnswer)
        {
            http.Abort();
            return;
        }

        http.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers)) http.Response.Headers[name] = values.ToArray();
        http.Response.Headers.Remove("Transfer-Encoding");
        await using var body = await answer.Content.ReadAsStreamAsync(http.RequestAborted);
        if (fate == Fate.CutAnswer)
        {
            var half = new byte[(answer.Content.Headers.ContentLength ?? 0) / 2];
            await body.ReadExactlyAsync(half, http.RequestAborted);
            await http.Response.Body.WriteAsync(half, http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
            http.Abort();
            return;
        }

        await body.CopyToAsync(http.Response.Body, http.RequestAborted);
    }

    private static string KindOf(HttpRequest request)
    {
        var query = request.Query;
        var what = query.ContainsKey("partNumber") ? " part" : query.ContainsKey("uploads") ? " uploads"
            : query.ContainsKey("uploadId") ? " upload" : query.ContainsKey("delete") ? " delete" : query.ContainsKey("list-type") ? " list" : "";
        return request.Method + what;
    }

    private static async Task RefuseAsync(HttpContext http, int status, string code)
    {
        await http.Request.Body.CopyToAsync(Stream.Null, http.RequestAborted);
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/xml";
        await http.Response.WriteAsync($"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as the test wants it</Message></Error>");
    }
}
