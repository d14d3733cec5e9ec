using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Gantry.Server.Api;

/// <summary>Describes <see cref="ApiRoutes.Table"/>: what is routed is described, and the other way round.</summary>
internal sealed class ApiDocument : IDocumentFilter
{
    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        swaggerDoc.Components ??= new OpenApiComponents();
        swaggerDoc.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
        {
            ["basic"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http, Scheme = "basic", Description = "An account's name, with its password or an access token.",
            },
            ["accessToken"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An access token, gantry_pat_… or gantry_rob_….",
            },
        };
        foreach (var route in ApiRoutes.Table)
        {
            var path = ApiRequest.Root + route.Path.Replace("{**", "{", StringComparison.Ordinal);
            if (!swaggerDoc.Paths.TryGetValue(path, out var item)) swaggerDoc.Paths[path] = item = new OpenApiPathItem();
            ((OpenApiPathItem)item).AddOperation(HttpMethod.Parse(route.Method), Describe(route, swaggerDoc, context));
        }
    }

    private static OpenApiOperation Describe(ApiRoute route, OpenApiDocument document, DocumentFilterContext context)
    {
        var operation = new OpenApiOperation
        {
            OperationId = route.Id,
            Summary = route.Attribute<EndpointSummaryAttribute>()?.Summary,
            Tags = new HashSet<OpenApiTagReference> { new(TagOf(route), document) },
            Parameters = [.. PathParameters(route), .. OtherParameters(route)],
            Responses = ResponsesOf(route, context),
            Security =
            [
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("basic", document)] = [] },
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("accessToken", document)] = [] },
            ],
        };
        if (route.Body is { } body)
        {
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = true, Content = ContentOf("application/json", body, context),
            };
        }

        return operation;
    }

    private static OpenApiResponses ResponsesOf(ApiRoute route, DocumentFilterContext context)
    {
        var responses = new OpenApiResponses();
        if (route.Answer is { } answer)
        {
            responses[$"{route.Status}"] = new OpenApiResponse { Description = "Done", Content = ContentOf("application/json", answer, context) };
        }

        // A PUT that may have something to say says nothing when it has not.
        if (route.Answer is null || route.Method == "PUT") responses["204"] = new OpenApiResponse { Description = "Done" };
        if (route.HasTag) responses["304"] = new OpenApiResponse { Description = "It is what If-None-Match names" };
        Refusal(400, "The request is wrong; every fault of it is named",
            route.Body is not null || route.Query.Any() || route.IsPaged || Parts(route).Any(part => part is "tag" or "digest" or "reference"));
        Refusal(401, "No account, or a wrong credential");
        Refusal(403, "The account, or the credential, may not");
        Refusal(404, "Not there, or not to be seen", route.Path.Contains('{', StringComparison.Ordinal) || route.Needs is ApiNeeds.Explanation or ApiNeeds.Audit);
        Refusal(405, "This registry does not delete", route.Needs == ApiNeeds.Removal);
        Refusal(409, "What is there stands against it", route.Method != "GET");
        Refusal(412, "It is not what If-Match names: somebody changed it", route.IsConditional);
        Refusal(413, "The body is too long", route.Body is not null);
        Refusal(415, "The body is not JSON", route.Body is not null);
        Refusal(422, "The image is so deep, and of so many layers, that this takes too long to look up", route.Answer?.GetProperty("Look") is not null);
        Refusal(429, "Too many requests, or too many wrong passwords: Retry-After says how long to wait");
        Refusal(503, "The database does not answer");
        return responses;

        void Refusal(int status, string description, bool applies = true)
        {
            if (!applies) return;
            responses[$"{status}"] = new OpenApiResponse
            {
                Description = description, Content = ContentOf("application/problem+json", typeof(Problem), context),
            };
        }
    }

    private static IEnumerable<string> Parts(ApiRoute route) => RoutePatternFactory.Parse(route.Path).Parameters.Select(part => part.Name);

    private static IEnumerable<IOpenApiParameter> PathParameters(ApiRoute route) =>
        Parts(route).Select(name => new OpenApiParameter
        {
            Name = name, In = ParameterLocation.Path, Required = true, Description = Meaning(name),
            Schema = new OpenApiSchema { Type = IsNumber(name) ? JsonSchemaType.Integer : JsonSchemaType.String, Format = IsNumber(name) ? "int64" : null },
        });

    private static bool IsNumber(string name) => name is "id" or "delivery";

    private static IEnumerable<IOpenApiParameter> OtherParameters(ApiRoute route)
    {
        foreach (var query in route.Query)
        {
            yield return Parameter(query.Name, query.Description, query.Required, new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Enum = query.Values.Length == 0 ? null : [.. query.Values.Select(value => (JsonNode)value)],
            });
        }

        if (route.IsConditional)
        {
            yield return new OpenApiParameter
            {
                Name = "If-Match", In = ParameterLocation.Header, Description = "The ETag of what is to be changed, as it was read",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            };
        }

        if (!route.IsPaged) yield break;
        yield return Parameter("limit", "The most items to answer with", false, new OpenApiSchema
        {
            Type = JsonSchemaType.Integer, Minimum = "1", Maximum = $"{ApiRequest.MaxPage}", Default = ApiRequest.UsualPage,
        });
        yield return route.NewestFirst
            ? Parameter("before", "The id before which to go on; next has it", false, new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64" })
            : Parameter("after", "The name or id after which to go on; next has it", false, new OpenApiSchema { Type = JsonSchemaType.String });
    }

    private static OpenApiParameter Parameter(string name, string description, bool required, OpenApiSchema schema) => new()
    {
        Name = name, In = ParameterLocation.Query, Description = description, Required = required, Schema = schema,
    };

    private static Dictionary<string, OpenApiMediaType> ContentOf(string mediaType, Type type, DocumentFilterContext context) =>
        new(StringComparer.Ordinal)
        {
            [mediaType] = new OpenApiMediaType { Schema = context.SchemaGenerator.GenerateSchema(type, context.SchemaRepository) },
        };

    private static string TagOf(ApiRoute route)
    {
        var noun = route.Handler.Method.DeclaringType!.Name.Replace("Endpoints", "", StringComparison.Ordinal);
        return string.Concat(noun.Select((c, i) => char.IsUpper(c) && i > 0 ? $" {char.ToLowerInvariant(c)}" : $"{c}"));
    }

    private static string Meaning(string name) => name switch
    {
        "ns" => "The namespace",
        "name" => "The account's name",
        "group" => "The group: its provider, a slash, its own name",
        "robot" => "The robot's whole name, robot.NAMESPACE.NAME",
        "account" => "The account's name, or self",
        "delivery" => "The delivery's number",
        "repository" => "The repository's whole name, its slashes written %2F",
        "tag" => "The tag's name",
        "digest" => "A digest, sha256:… or sha512:…",
        "reference" => "A tag's name, or a digest",
        _ => "Its number",
    };
}
