using Gantry.Core.Data;
using Gantry.Oci;
using Gantry.Server.Auth;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gantry.Server.Ui;

/// <summary>
/// Shows a page in place of one that failed, and in place of nothing to a browser that asks for an address nobody answers. Whatever
/// else fails passes on.
/// </summary>
internal sealed partial class PageErrors(RequestDelegate next, SessionLogins sessions, ILogger<PageErrors> logger)
{
    public async Task InvokeAsync(HttpContext http)
    {
        if (WantsPage(http.Request)) http.Features.Set<IProblemPages>(new Problems(this));
        try
        {
            await next(http);
            if (http.Response is { HasStarted: false, StatusCode: 404, ContentType: null } && http.GetEndpoint() is null && WantsPage(http.Request))
                await ShowAsync(http, PageException.NotFound());
            // What the framework leaves where the page has no form of that name any more: somebody else was faster.
            else if (http.Response is { HasStarted: false, StatusCode: 400 } && HttpMethods.IsPost(http.Request.Method) && PageGuard.IsPage(http.GetEndpoint()))
                await ShowAsync(http, new PageException(StatusCodes.Status400BadRequest, "What this form was about is not there any more. Go back and reload the page."));
        }
        catch (Exception exception) when (!http.Response.HasStarted && !http.RequestAborted.IsCancellationRequested
            && (PageGuard.IsPage(http.GetEndpoint()) || (exception is OciException && WantsPage(http.Request))))
        {
            await ShowAsync(http, Describe(http, exception));
        }
    }

    /// <summary>Whether a browser asks, and a person reads the answer.</summary>
    public static bool WantsPage(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    private PageException Describe(HttpContext http, Exception exception)
    {
        switch (exception)
        {
            case PageException refusal:
                return refusal;
            case OciException broken:
                if (broken.RetryAfterSeconds is { } seconds) http.Response.Headers.RetryAfter = $"{seconds}";
                return new PageException(broken.Status, Sentence(broken.Message));
            case BadHttpRequestException bad:
                return new PageException(bad.StatusCode, Sentence(bad.Message));
            case var _ when DatabaseOutage.Is(exception):
                LogUnavailable(logger, http.TraceIdentifier, exception);
                http.Response.Headers.RetryAfter = "5";
                return new PageException(StatusCodes.Status503ServiceUnavailable, "The registry's database does not answer.");
            default:
                LogFault(logger, http.TraceIdentifier, exception);
                return new PageException(StatusCodes.Status500InternalServerError, "The registry failed to make this page.");
        }
    }

    private async Task ShowAsync(HttpContext http, PageException fault)
    {
        PageGuard.WriteHeaders(http.Response);
        if (http.Features.Get<Visit>() is null) await BeginAsync(http);
        http.Response.StatusCode = fault.Status;

        // What the failed page left of its renderer is of no use, and the header that it left would be added again.
        http.Response.Headers.Remove("blazor-enhanced-nav");
        var services = http.RequestServices;
        await using var scope = services.CreateAsyncScope();
        http.RequestServices = scope.ServiceProvider;
        try
        {
            await new RazorComponentResult<App>(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                [nameof(App.Status)] = fault.Status, [nameof(App.Detail)] = fault.Message,
            })
            { StatusCode = fault.Status }.ExecuteAsync(http);
        }
        finally
        {
            http.RequestServices = services;
        }
    }

    private async Task BeginAsync(HttpContext http)
    {
        try
        {
            await PageGuard.BeginAsync(http, sessions);
        }
        catch (Exception exception) when (DatabaseOutage.Is(exception))
        {
            // The page says so, to whomever.
            http.Features.Set(new Visit(http, null));
        }
    }

    private static string Sentence(string text) => text.Length == 0 ? text : $"{char.ToUpperInvariant(text[0])}{text[1..].TrimEnd('.')}.";

    private sealed class Problems(PageErrors errors) : IProblemPages
    {
        public IResult Of(int status, string detail) => new Problem(errors, new PageException(status, Sentence(detail)));
    }

    private sealed class Problem(PageErrors errors, PageException fault) : IResult
    {
        public Task ExecuteAsync(HttpContext http) => errors.ShowAsync(http, fault);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {RequestId} failed")]
    private static partial void LogFault(ILogger logger, string requestId, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {RequestId} refused: the database does not answer")]
    private static partial void LogUnavailable(ILogger logger, string requestId, Exception exception);
}
