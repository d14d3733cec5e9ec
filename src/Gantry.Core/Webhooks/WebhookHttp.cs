using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Webhooks;

/// <summary>What a try came to.</summary>
/// <param name="Status">Null: there was no answer.</param>
/// <param name="Answer">The beginning of the answer's body.</param>
/// <param name="Error">Why there was no answer, or no try.</param>
internal sealed record Tried(int? Status, string? Answer, string? Error, int Milliseconds = 0, TimeSpan? RetryAfter = null)
{
    public bool Succeeded => Status is >= 200 and < 300;

    /// <summary>Nothing was tried and nothing will be, which is not the target's fault.</summary>
    public bool IsDropped { get; private init; }

    public static Tried Dropped(string why) => new(null, null, why) { IsDropped = true };
}

/// <summary>Sends one delivery once. No redirect is followed, no cookie kept, no proxy of the environment used, nothing decompressed.</summary>
internal sealed class WebhookHttp : IDisposable
{
    /// <summary>What is kept of an answer; no more of it is read.</summary>
    public const int MaxAnswerBytes = 4096;

    private const int MaxHeaderKilobytes = 16;

    private readonly HttpClient _client;
    private readonly WebhookSecrets _secrets;
    private readonly TargetAddresses _addresses;
    private readonly IOptions<WebhookOptions> _options;
    private readonly TimeProvider _time;

    public WebhookHttp(
        TargetAddresses addresses, TargetDialer dialer, WebhookSecrets secrets, IOptions<WebhookOptions> options, TimeProvider time)
    {
        (_secrets, _addresses, _options, _time) = (secrets, addresses, options, time);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None, ActivityHeadersPropagator = null,
            UseProxy = options.Value.Proxy.Length > 0, Proxy = ProxyOf(options.Value.Proxy),
            MaxResponseHeadersLength = MaxHeaderKilobytes, MaxResponseDrainSize = 0,
            // A target that moves is found again.
            PooledConnectionLifetime = TimeSpan.FromMinutes(2), PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        };
        // A proxy is the operator's choice, wherever it is, and connects to the target itself.
        if (!handler.UseProxy) handler.ConnectCallback = dialer.ConnectAsync;
        if (options.Value.CaFile.Length > 0) handler.SslOptions.CertificateChainPolicy = AuthorityFile.PolicyOf(options.Value.CaFile);
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Every failure of the target is a result and no exception.</summary>
    public async Task<Tried> SendAsync(WebhookRow webhook, WebhookDeliveryRow delivery, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        using var limit = new CancellationTokenSource(_options.Value.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        Tried tried;
        try
        {
            if (FaultOf(WebhookUrl.Parse(webhook.Url)) is { } fault) return new Tried(null, null, fault);
            using var request = RequestOf(webhook, delivery);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            var answer = await ReadStartAsync(response, either.Token);
            tried = new Tried((int)response.StatusCode, answer, null, RetryAfter: RetryAfterOf(response.Headers.RetryAfter));
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            tried = new Tried(null, null, limit.IsCancellationRequested ? $"no answer within {_options.Value.Timeout.TotalSeconds} s" : Describe(failed));
        }
        catch (OptionsValidationException sealedOtherwise)
        {
            tried = new Tried(null, null, sealedOtherwise.Message);
        }

        return tried with { Milliseconds = (int)Stopwatch.GetElapsedTime(began).TotalMilliseconds };
    }

    /// <summary>Why nothing may be sent there, whatever answers; null: it may.</summary>
    public string? FaultOf(WebhookUrl url) =>
        !url.IsEncrypted && !_options.Value.AllowHttp ? "must be https: Webhooks:AllowHttp is off"
        : _addresses.AllowsLiteral(url) == false ? "is on a private address, which Webhooks:AllowedNetworks does not name" : null;

    public void Dispose() => _client.Dispose();

    private HttpRequestMessage RequestOf(WebhookRow webhook, WebhookDeliveryRow delivery)
    {
        var (body, now) = (Encoding.UTF8.GetBytes(delivery.Body), _time.GetUtcNow());
        var request = new HttpRequestMessage(HttpMethod.Post, webhook.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(delivery.ContentType);
        var headers = request.Headers;
        headers.TryAddWithoutValidation("User-Agent", "Gantry-Webhooks");
        headers.TryAddWithoutValidation(WebhookSignature.IdHeader, $"{delivery.MessageId}");
        headers.TryAddWithoutValidation(WebhookSignature.TimestampHeader, WebhookSignature.TimestampOf(now));
        headers.TryAddWithoutValidation(WebhookSignature.SignatureHeader, WebhookSignature.Of(_secrets.SecretOf(webhook), delivery.MessageId, now, body));
        if (_secrets.AuthorizationOf(webhook) is { } authorization) headers.TryAddWithoutValidation("Authorization", authorization);
        return request;
    }

    // The status is the answer: one whose body never comes, or breaks off, is one all the same.
    private static async Task<string> ReadStartAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var (start, length) = (new byte[MaxAnswerBytes], 0);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            while (length < start.Length && await body.ReadAsync(start.AsMemory(length), cancellationToken) is > 0 and var read) length += read;
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException or OperationCanceledException)
        {
            // What came until then is kept.
        }

        // The database has no place for U+0000 in a text.
        return Encoding.UTF8.GetString(start, 0, length).Replace('\0', '\uFFFD');
    }

    private TimeSpan? RetryAfterOf(RetryConditionHeaderValue? header) => header?.Delta ?? (header?.Date - _time.GetUtcNow());

    // Never the message of the exception alone: it may hold the URL, which may be a secret.
    private static string Describe(Exception failed) => failed switch
    {
        HttpRequestException { InnerException: TargetRefusedException refused } => refused.Message,
        HttpRequestException { InnerException: SocketException socket } => $"no connection: {socket.SocketErrorCode}",
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: { } tls } => $"no TLS connection: {tls.Message}",
        HttpRequestException { HttpRequestError: not HttpRequestError.Unknown and var error } => $"no answer: {error}",
        _ => "no answer: the connection broke",
    };

    private static WebProxy? ProxyOf(string text)
    {
        if (text.Length == 0) return null;
        var url = new Uri(text);
        var parts = url.UserInfo.Split(':', 2);
        return new WebProxy(url)
        {
            Credentials = url.UserInfo.Length == 0 ? null
                : new NetworkCredential(Uri.UnescapeDataString(parts[0]), parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : ""),
        };
    }
}
