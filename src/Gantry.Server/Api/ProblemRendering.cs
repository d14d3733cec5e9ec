using System.Text.Json;
using System.Text.Json.Serialization;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;

namespace Gantry.Server.Api;

/// <summary>
/// The one place that turns a failure under <c>/api</c> into <c>problem+json</c> (RFC 9457), routing's 404 and 405 too. Broken
/// rules are shown as they are; a fault of ours says nothing but its request id, which the log carries too.
/// </summary>
internal sealed partial class ProblemRendering(
    RequestDelegate next, IOptions<AccessOptions> options, ILogger<ProblemRendering> logger)
{
    /// <summary>The longest body of the management API but for a README; it bounds the memory of reading one.</summary>
    public const int MaxBodyBytes = 64 * 1024;

    public async Task InvokeAsync(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = MaxBodyBytes;
        try
        {
            await next(http);
            if (http.Response is { HasStarted: false, StatusCode: 404 or 405, ContentType: null })
                await WriteAsync(http, Unrouted(http));
        }
        catch (Exception exception) when (exception is ConnectionResetException or ConnectionAbortedException
            || (exception is OperationCanceledException && http.RequestAborted.IsCancellationRequested))
        {
            // The client is gone; nobody reads an answer.
            http.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception exception) when (!http.Response.HasStarted)
        {
            await WriteAsync(http, Describe(http, exception));
        }
    }

    private static Problem Unrouted(HttpContext http) => http.Response.StatusCode == StatusCodes.Status405MethodNotAllowed
        ? ProblemOf(http, 405, $"{http.Request.Method} is not known here: {http.Response.Headers.Allow} is")
        : ProblemOf(http, 404, "there is no such path: /swagger shows those that there are");

    private Problem Describe(HttpContext http, Exception exception)
    {
        switch (exception)
        {
            case ApiException refusal:
                if (refusal.Status == StatusCodes.Status401Unauthorized) Challenge(http);
                return ProblemOf(http, refusal.Status, refusal.Message, refusal.Errors);
            case OciException broken:
                if (broken.Status == StatusCodes.Status401Unauthorized) Challenge(http);
                if (broken.RetryAfterSeconds is { } seconds) http.Response.Headers.RetryAfter = $"{seconds}";
                return ProblemOf(http, broken.Status, broken.Message);
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return ProblemOf(http, 413, $"a body has at most {http.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize ?? MaxBodyBytes} bytes here");
            case BadHttpRequestException bad:
                return ProblemOf(http, bad.StatusCode, bad.Message);
            case var _ when DatabaseOutage.Is(exception):
                LogUnavailable(logger, http.TraceIdentifier, exception);
                http.Response.Headers.RetryAfter = "5";
                return ProblemOf(http, 503, "the registry's database does not answer");
            default:
                LogFault(logger, http.TraceIdentifier, exception);
                return ProblemOf(http, 500, null);
        }
    }

    // A page's script asks with X-Requested-With and shows a login of its own; the browser's would get in its way.
    private void Challenge(HttpContext http)
    {
        if (http.Request.Headers.ContainsKey("X-Requested-With")) return;
        http.Response.Headers.WWWAuthenticate = $"Basic realm=\"{options.Value.Service}\",charset=\"UTF-8\"";
    }

    private static Problem ProblemOf(
        HttpContext http, int status, string? detail, IReadOnlyDictionary<string, string[]>? errors = null) =>
        new("about:blank", ReasonPhrases.GetReasonPhrase(status), status, detail, http.TraceIdentifier, errors);

    private static async Task WriteAsync(HttpContext http, Problem problem)
    {
        var response = http.Response;
        response.StatusCode = problem.Status;
        response.Headers.CacheControl = "no-store";
        // A client that asked first will not send what was refused; nothing tells its next request from the body then. And a body that is too long is not read
        // to its end by anybody: unless the client is told, its next request on the connection has no answer.
        if ((http.Request.Headers.Expect.Count > 0 || IsTooLong(http)) && HttpProtocol.IsHttp11(http.Request.Protocol)) response.Headers.Connection = "close";

        var body = JsonSerializer.SerializeToUtf8Bytes(problem, ApiJson.Wire.Problem);
        response.ContentType = "application/problem+json";
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(http.Request.Method)) await response.Body.WriteAsync(body, http.RequestAborted);
    }

    private static bool IsTooLong(HttpContext http) =>
        http.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize is { } most
        && (http.Request.ContentLength ?? (http.Request.Headers.TransferEncoding.Count > 0 ? long.MaxValue : 0)) > most;

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {RequestId} failed")]
    private static partial void LogFault(ILogger logger, string requestId, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {RequestId} refused: the database does not answer")]
    private static partial void LogUnavailable(ILogger logger, string requestId, Exception exception);
}

/// <summary>Why a request failed.</summary>
/// <param name="Detail">For a person; a fault of the registry has none.</param>
/// <param name="RequestId">The id that the log and the audit trail show too.</param>
/// <param name="Errors">All that is wrong with a body or a query, by the name of its part.</param>
internal sealed record Problem(
    string Type, string Title, int Status, string? Detail, string RequestId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, string[]>? Errors);
