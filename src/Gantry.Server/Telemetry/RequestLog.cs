namespace Gantry.Server.Telemetry;

/// <summary>
/// One line a request, with the id that the client gets as <c>X-Request-Id</c>. Quiet: what changes something, or fails
/// for a reason other than the usual probing, is information; everything else is for debugging.
/// </summary>
internal sealed partial class RequestLog(RequestDelegate next, TimeProvider time, ILogger<RequestLog> logger)
{
    public async Task InvokeAsync(HttpContext http)
    {
        var start = time.GetTimestamp();
        http.Response.Headers["X-Request-Id"] = http.TraceIdentifier;
        try
        {
            await next(http);
        }
        finally
        {
            var level = Level(http.Request.Method, http.Response.StatusCode);
            if (logger.IsEnabled(level))
            {
                var elapsed = (long)time.GetElapsedTime(start).TotalMilliseconds;
                LogRequest(logger, level, http.Request.Method, http.Request.Path, http.Response.StatusCode, elapsed,
                    http.Response.ContentLength, http.Connection.RemoteIpAddress, http.TraceIdentifier);
            }
        }
    }

    // 401 starts every login, 404 every push of something new.
    private static LogLevel Level(string method, int status) => status switch
    {
        >= 500 => LogLevel.Warning,
        StatusCodes.Status401Unauthorized or StatusCodes.Status404NotFound => LogLevel.Debug,
        >= 400 => LogLevel.Information,
        _ => HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? LogLevel.Debug : LogLevel.Information,
    };

    [LoggerMessage(Message = "{Method} {Path} {Status} in {Milliseconds} ms, {SizeBytes} bytes, for {Address}, request {RequestId}")]
    private static partial void LogRequest(ILogger logger, LogLevel level, string method, PathString path, int status,
        long milliseconds, long? sizeBytes, System.Net.IPAddress? address, string requestId);
}
