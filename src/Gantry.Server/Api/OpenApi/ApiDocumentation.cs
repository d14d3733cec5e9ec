using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Gantry.Server.Api;

/// <summary>
/// <c>/swagger</c>: the page, and <c>/swagger/v1/swagger.json</c> that it reads. Neither needs a login, and neither holds more than
/// the source does. The document is made at the first request for it; nothing of it costs the start anything.
/// </summary>
internal static class ApiDocumentation
{
    public const string Path = "/swagger";

    /// <summary>Scripts of ours alone, and no text that becomes one.</summary>
    public const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'none'; "
        + "base-uri 'none'; frame-ancestors 'none'";

    private const string Requests = Path + "/requests.js";

    public static void AddGantryApiDocumentation(this IServiceCollection services)
    {
        services.AddEndpointsApiExplorer();
        services.AddSingleton<ISerializerDataContractResolver>(new JsonSerializerDataContractResolver(ApiJson.Default.Options));
        services.AddSwaggerGen(options =>
        {
            options.SwaggerDoc("v1", new OpenApiInfo
            {
                Title = "Gantry", Version = "v1",
                Description = "Namespaces, repositories, tags, images and what is in them, accounts, robots, access tokens, webhooks and the audit trail of a registry. Every error is "
                    + "problem+json with a requestId, which the log and the audit trail show too. A listing answers with a page of items "
                    + "and with next, the path of the page after it, which the header Link has too.",
            });
            // Of the table alone: what else is routed (the token endpoint, probes) has specifications of its own.
            options.DocInclusionPredicate((_, _) => false);
            options.SchemaFilter<NullabilityFilter>();
            options.CustomSchemaIds(SchemaId);
            options.DocumentFilter<ApiDocument>();
        });
    }

    /// <summary>Only requests below <see cref="Path"/> come here.</summary>
    public static void UseGantryApiDocumentation(this IApplicationBuilder app)
    {
        app.Use((http, next) =>
        {
            WriteHeaders(http.Response);
            return http.Request.Path == Requests && HttpMethods.IsGet(http.Request.Method) ? AnswerRequestsAsync(http) : next(http);
        });
        app.UseSwagger();
        app.UseSwaggerUI(page =>
        {
            page.DocumentTitle = "Gantry API";
            page.SwaggerEndpoint("v1/swagger.json", "v1");
            page.InjectJavascript("requests.js");
        });
    }

    // As the pages have them (Ui/PageGuard). The framework's page has inline styles, and pictures in its style.
    private static void WriteHeaders(HttpResponse response)
    {
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.XFrameOptions = "DENY";
        response.Headers["Referrer-Policy"] = "same-origin";
        response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
    }

    private static async Task AnswerRequestsAsync(HttpContext http)
    {
        await using var script = typeof(ApiDocumentation).Assembly.GetManifestResourceStream("swagger/requests.js")!;
        http.Response.ContentType = "text/javascript; charset=utf-8";
        http.Response.ContentLength = script.Length;
        await script.CopyToAsync(http.Response.Body, http.RequestAborted);
    }

    private static string SchemaId(Type type) =>
        type.IsGenericType ? $"{SchemaId(type.GetGenericArguments()[0])}Page" : type.Name.Replace("Reply", "", StringComparison.Ordinal);
}
