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
        app.UseSwagger();
        app.UseSwaggerUI(page =>
        {
            page.DocumentTitle = "Gantry API";
            page.SwaggerEndpoint("v1/swagger.json", "v1");
            // So that a refused request shows its answer and not the browser's own login.
            page.UseRequestInterceptor("(request) => { request.headers['X-Requested-With'] = 'swagger'; return request; }");
        });
    }

    private static string SchemaId(Type type) =>
        type.IsGenericType ? $"{SchemaId(type.GetGenericArguments()[0])}Page" : type.Name.Replace("Reply", "", StringComparison.Ordinal);
}
