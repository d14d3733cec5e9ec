using System.Reflection;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Gantry.Server.Api;

/// <summary>Says of each property what its type says: always there and not null, or perhaps null.</summary>
internal sealed class NullabilityFilter : ISchemaFilter
{
    private readonly NullabilityInfoContext _nullability = new();

    public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
    {
        if (schema is not OpenApiSchema { Properties: { } properties } described || context.MemberInfo is not null) return;
        described.Required = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var property in context.Type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var name = char.ToLowerInvariant(property.Name[0]) + property.Name[1..];
            if (!properties.TryGetValue(name, out var said) || _nullability.Create(property).ReadState != NullabilityState.NotNull) continue;
            described.Required.Add(name);
            if (said is OpenApiSchema { Type: { } type } own) own.Type = type & ~JsonSchemaType.Null;
        }
    }
}
