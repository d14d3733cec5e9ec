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
        services.AddSharedDataProtection();
        services.AddSingleton<SameOrigin>();
        services.AddSingleton<SessionLogins>();
        services.AddSingleton<PasswordSignIn>();
        services.AddSingleton<SessionEndpoints>();
        services.AddSingleton<SignOnEndpoints>();
        return services;
    }

    public static void MapGantryAuth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(PublicAddress.TokenPath, (HttpContext context, TokenEndpoint token) => token.GetAsync(context));
        endpoints.MapPost(PublicAddress.TokenPath, (HttpContext context, TokenEndpoint token) => token.PostAsync(context))
            .DisableAntiforgery();
        endpoints.MapGet("/.well-known/jwks.json", PublicKeysAsync);

        endpoints.MapGet("/session", (HttpContext context, SessionEndpoints session) => session.GetAsync(context));
        endpoints.MapPost("/session", (HttpContext context, SessionEndpoints session) => session.PostAsync(context))
            .DisableAntiforgery();
        endpoints.MapGet("/sso", (HttpContext context, SignOnEndpoints signOn) => signOn.List(context));
        endpoints.MapGet("/sso/{provider}/login",
            (HttpContext context, string provider, SignOnEndpoints signOn) => signOn.LoginAsync(context, provider));
        endpoints.MapGet("/sso/{provider}/callback",
            (HttpContext context, string provider, SignOnEndpoints signOn) => signOn.CallbackAsync(context, provider));
        endpoints.MapPost("/sso/logout", (HttpContext context, SessionEndpoints session) => session.End(context))
            .DisableAntiforgery();
    }

    private static async Task<IResult> PublicKeysAsync(HttpContext context, SigningKeys keys)
    {
        // A new key signs two minutes after it can be read here.
        context.Response.Headers.CacheControl = "public, max-age=60";
        var reply = new KeySetReply(await keys.PublicKeysAsync(context.RequestAborted));
        return TypedResults.Json(reply, AuthJson.Default.KeySetReply);
    }
}
