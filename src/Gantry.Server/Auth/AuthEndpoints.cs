using Gantry.Core.Access;

namespace Gantry.Server.Auth;

/// <summary>What the composition root calls.</summary>
public static class AuthEndpoints
{
    /// <summary>Everything of access: rules, tokens and request checks, with their options checked at start.</summary>
    public static IServiceCollection AddGantryAccess(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddAccessRules(configuration);
        services.AddSingleton<PublicAddress>();
        services.AddSingleton<Challenge>();
        services.AddSingleton<RequestAccess>();
        services.AddSingleton<TokenEndpoint>();
        return services;
    }

    public static void MapGantryAuth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(PublicAddress.TokenPath, (HttpContext context, TokenEndpoint token) => token.GetAsync(context));
        endpoints.MapPost(PublicAddress.TokenPath, (HttpContext context, TokenEndpoint token) => token.PostAsync(context))
            .DisableAntiforgery();
        endpoints.MapGet("/.well-known/jwks.json", PublicKeysAsync);
    }

    private static async Task<IResult> PublicKeysAsync(HttpContext context, SigningKeys keys)
    {
        // A new key signs two minutes after it can be read here.
        context.Response.Headers.CacheControl = "public, max-age=60";
        var reply = new KeySetReply(await keys.PublicKeysAsync(context.RequestAborted));
        return TypedResults.Json(reply, AuthJson.Default.KeySetReply);
    }
}
