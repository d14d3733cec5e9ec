using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Gantry.TestKit;

/// <summary>
/// A reverse proxy on the loopback: each request goes to the next target in turn, bodies flow both ways as they come (two
/// pooled buffers of 64 KiB a request), and path, query, <c>Host</c> and all headers but the hop-by-hop ones stay as they
/// are, so a signed S3 request stays valid. Redirects go to the client. A target that is not there is a 502, one that
/// hangs up is a connection cut.
/// </summary>
public sealed partial class ReverseProxy : IAsyncDisposable
{
    private const int BufferBytes = 64 * 1024;

    // Of RFC 9110, 7.6.1; Host is set by itself, Expect is HttpClient's to act on.
    private static readonly HashSet<string> HopByHop = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer",
        "Transfer-Encoding", "Upgrade", "Host", "Expect",
    };

    private readonly WebApplication _app;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false, UseProxy = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null, ConnectTimeout = TimeSpan.FromSeconds(5),
        // The target says whether it wants the body; a slow one is not to be taken for one that does.
        Expect100ContinueTimeout = TimeSpan.FromSeconds(30),
    });

    private int _turn = -1;

    private ReverseProxy(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.First());

    /// <summary>Taken in turn; may be set at any time, and counts from the next request on.</summary>
    public IReadOnlyList<Uri> Targets { get; set => Volatile.Write(ref field, value); } = [];

    /// <summary>Asked once a request, by many at a time; null from it forwards the request as it is.</summary>
    public Func<HttpRequest, ProxyFault?>? Faults { get; set => Volatile.Write(ref field, value); }

    /// <summary>
    /// How many requests came, by method, path and names of the query's parameters; ids and digests in the path are <c>*</c>:
    /// <c>PATCH /v2/a/blobs/uploads/*</c>, <c>PUT /bucket/blobs/00/*?partNumber&amp;uploadId</c>.
    /// </summary>
    public IReadOnlyDictionary<string, int> Counts => _counts;

    public static async Task<ReverseProxy> StartAsync(params Uri[] targets)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestLineSize = 64 * 1024;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        var app = builder.Build();
        var proxy = new ReverseProxy(app) { Targets = targets };
        app.Run(proxy.AnswerAsync);
        await app.StartAsync();
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _app.DisposeAsync();
        _client.Dispose();
        _stopping.Dispose();
    }

    [GeneratedRegex("(?<=[/-])(sha(256|512)[:-])?[0-9a-f-]{32,}(?=/|$|\\.)")]
    private static partial Regex Ids();

    private async Task AnswerAsync(HttpContext http)
    {
        var request = http.Request;
        var query = string.Join('&', request.Query.Keys.Order(StringComparer.Ordinal));
        _counts.AddOrUpdate($"{request.Method} {Ids().Replace(request.Path.Value!, "*")}{(query.Length > 0 ? "?" : "")}{query}", 1, (_, n) => n + 1);
        var fault = Faults?.Invoke(request);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, _stopping.Token);
        try
        {
            if (fault is not null && fault.Wait != TimeSpan.Zero) await Task.Delay(fault.Wait, end.Token);
            if (fault?.Where == ProxyFaultStep.BeforeForwarding) http.Abort();
            else if (fault?.Where == ProxyFaultStep.Answered) await AnswerItselfAsync(http, fault);
            else await ForwardAsync(http, fault?.Where ?? ProxyFaultStep.Nowhere, end);
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.ConnectionError && !http.Response.HasStarted)
        {
            http.Response.StatusCode = StatusCodes.Status502BadGateway;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
        {
            // One side hung up; the other learns of it the same way.
            http.Abort();
        }
    }

    private static Task AnswerItselfAsync(HttpContext http, ProxyFault fault)
    {
        http.Response.StatusCode = fault.Status;
        if (fault.Body.StartsWith('<')) http.Response.ContentType = "application/xml";
        return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask : http.Response.WriteAsync(fault.Body);
    }

    private async Task ForwardAsync(HttpContext http, ProxyFaultStep fault, CancellationTokenSource end)
    {
        // 1. The request, its body read as the target takes it: 100-continue from the target becomes ours to the client.
        var targets = Targets;
        var target = targets[(int)((uint)Interlocked.Increment(ref _turn) % targets.Count)];
        using var forwarded = new HttpRequestMessage(new HttpMethod(http.Request.Method), AddressAt(target, http)) { Version = HttpVersion.Version11 };
        var hasBody = http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? false;
        var body = hasBody || http.Request.ContentLength is not null ? new Body(http.Request, fault == ProxyFaultStep.InRequestBody, end.Token) : null;
        forwarded.Content = body;
        forwarded.Headers.Host = http.Request.Host.Value;
        forwarded.Headers.ExpectContinue = body is not null && http.Request.Headers.Expect.Count > 0;
        foreach (var (name, value) in http.Request.Headers.Where(header => !HopByHop.Contains(header.Key)))
        {
            if (forwarded.Headers.TryAddWithoutValidation(name, value.AsEnumerable())) continue;
            forwarded.Content ??= new ByteArrayContent([]);
            forwarded.Content.Headers.TryAddWithoutValidation(name, value.AsEnumerable());
        }

        if (fault == ProxyFaultStep.InRequestBody && body is null) throw new IOException("cut");
        try
        {
            using var answer = await _client.SendAsync(forwarded, end.Token);
            if (fault == ProxyFaultStep.AfterAnswer) throw new IOException("cut");

            // 2. The answer, which may come before the body is through.
            http.Response.StatusCode = (int)answer.StatusCode;
            Copy(answer.Headers, http.Response.Headers);
            Copy(answer.Content.Headers, http.Response.Headers);
            if (!HttpMethods.IsHead(http.Request.Method) && (int)answer.StatusCode is not (204 or 304))
            {
                var half = fault == ProxyFaultStep.InAnswerBody ? (answer.Content.Headers.ContentLength ?? 2) / 2 : (long?)null;
                await PumpAsync(await answer.Content.ReadAsStreamAsync(end.Token), http.Response.Body, half, end.Token);
            }

            if (fault == ProxyFaultStep.InAnswerBody) throw new IOException("cut");
            foreach (var (name, values) in answer.TrailingHeaders)
            {
                if (http.Response.SupportsTrailers()) http.Response.AppendTrailer(name, values.ToArray());
            }
        }
        finally
        {
            // 3. The request's body is Kestrel's again only when nobody reads it any more.
            await end.CancelAsync();
            if (body is not null) await body.Finished;
        }
    }

    // As the client wrote it: an escape more or less would be another signature.
    private static Uri AddressAt(Uri target, HttpContext http) => new(
        target.GetLeftPart(UriPartial.Authority) + http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
        new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });

    private static void Copy(System.Net.Http.Headers.HttpHeaders from, IHeaderDictionary to)
    {
        foreach (var (name, values) in from.NonValidated)
        {
            if (!HopByHop.Contains(name)) to[name] = values.ToArray();
        }
    }

    /// <summary>Copies to the end, each piece flushed; with a limit, only so much, and then it is cut.</summary>
    private static async Task PumpAsync(Stream from, Stream to, long? limit, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var left = limit ?? long.MaxValue;
            while (left > 0 && await from.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellationToken) is var count and > 0)
            {
                await to.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                await to.FlushAsync(cancellationToken);
                left -= count;
            }

            if (limit is not null) throw new IOException("cut");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private sealed class Body(HttpRequest request, bool cut, CancellationToken end) : HttpContent
    {
        private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _begun;

        /// <summary>Completes once nothing reads the request any more, at once where nothing did.</summary>
        public Task Finished => Interlocked.CompareExchange(ref _begun, 2, 0) == 1 ? _finished.Task : Task.CompletedTask;

        // Not by HttpClient's token: that one ends with the head of the answer, and the body may go on.
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            if (Interlocked.CompareExchange(ref _begun, 1, 0) != 0) throw new IOException("the request is over, or its body was sent before");
            try
            {
                await PumpAsync(request.Body, stream, cut ? (request.ContentLength ?? 2) / 2 : null, end);
            }
            finally
            {
                _finished.TrySetResult();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = request.ContentLength ?? 0;
            return request.ContentLength is not null;
        }
    }
}
