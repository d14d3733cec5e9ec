using System.Text.Json;
using Gantry.Core.Data;
using Gantry.Core.Push;
using Gantry.Oci;
using Gantry.Oci.Serialization;
using Gantry.Storage;
using Microsoft.AspNetCore.Connections;

namespace Gantry.Server.V2;

/// <summary>
/// The one place that turns a failure under <c>/v2</c> into distribution-spec's envelope. Broken rules are shown as they
/// are; a fault of ours says nothing but its request id, which the log carries too. A lost database and a full disk are
/// neither: they pass by themselves.
/// </summary>
internal sealed partial class OciErrorRendering(RequestDelegate next, ILogger<OciErrorRendering> logger)
{
    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
        }
        catch (Exception exception) when (exception is ConnectionResetException or ConnectionAbortedException
            || (exception is OperationCanceledException && http.RequestAborted.IsCancellationRequested))
        {
            // The client is gone; nobody reads an answer.
            http.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception exception) when (!http.Response.HasStarted)
        {
            await RenderAsync(http, Describe(http, exception));
        }
    }

    private OciException Describe(HttpContext http, Exception exception)
    {
        switch (exception)
        {
            case OciException broken:
                return broken;
            case UploadOutOfOrderException order:
                BlobUploadEndpoints.WriteStatus(http, order.Status);
                return new OciException(OciErrorCode.BlobUploadInvalid, order.Message,
                    StatusCodes.Status416RangeNotSatisfiable);
            case StagingLostException lost:
                LogLostStaging(logger, http.TraceIdentifier, lost);
                return new OciException(OciErrorCode.BlobUploadUnknown, "the upload's bytes are gone; start again");
            case BadHttpRequestException bad:
                return new OciException(
                    bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? OciErrorCode.SizeInvalid : OciErrorCode.Unsupported,
                    bad.Message, bad.StatusCode);
            case StorageFullException full:
                LogUnavailable(logger, http.TraceIdentifier, "the blob store is full", full);
                return new OciException(OciErrorCode.Unavailable, "the registry's storage is full",
                    StatusCodes.Status507InsufficientStorage);
            case StorageUnavailableException away:
                LogUnavailable(logger, http.TraceIdentifier, "the blob store does not answer", away);
                return new OciException(OciErrorCode.Unavailable, "the registry's storage does not answer") { RetryAfterSeconds = 5 };
            case BlobTooLargeException large:
                return new OciException(OciErrorCode.SizeInvalid, large.Message, StatusCodes.Status413PayloadTooLarge);
            case var _ when DatabaseOutage.Is(exception):
                LogUnavailable(logger, http.TraceIdentifier, "the database does not answer", exception);
                return new OciException(OciErrorCode.Unavailable, "the registry's database does not answer") { RetryAfterSeconds = 5 };
            default:
                LogFault(logger, http.TraceIdentifier, exception);
                return new OciException(OciErrorCode.Unknown, $"request {http.TraceIdentifier}");
        }
    }

    private static async Task RenderAsync(HttpContext http, OciException error)
    {
        var response = http.Response;
        response.StatusCode = error.Status;
        if (error.RetryAfterSeconds is { } seconds)
            response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);

        // A client that asked first will not send what was refused; nothing tells its next request from the body then.
        if (http.Request.Headers.Expect.Count > 0 && HttpProtocol.IsHttp11(http.Request.Protocol))
            response.Headers.Connection = "close";

        // Who was refused can name the request to whoever can look it up.
        var refused = error.Status is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden;
        var detail = refused ? $"{error.Detail ?? "refused"} (request {http.TraceIdentifier})" : error.Detail;
        using var body = new MemoryStream(256);
        await using (var writer = new Utf8JsonWriter(body)) OciJson.WriteErrors(writer, (error.Code, detail));
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
            await response.Body.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length), http.RequestAborted);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {RequestId} failed")]
    private static partial void LogFault(ILogger logger, string requestId, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {RequestId} refused: {Reason}")]
    private static partial void LogUnavailable(ILogger logger, string requestId, string reason, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The upload of request {RequestId} cannot go on")]
    private static partial void LogLostStaging(ILogger logger, string requestId, Exception exception);
}
