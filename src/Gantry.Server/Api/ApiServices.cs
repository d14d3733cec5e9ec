using Gantry.Server.Limits;

namespace Gantry.Server.Api;

/// <summary>What the composition root calls.</summary>
internal static class ApiServices
{
    public static IServiceCollection AddGantryApi(this IServiceCollection services)
    {
        services.AddSingleton<ApiLogin>();
        services.AddSingleton<ApiAccess>();
        services.AddSingleton<CallerTurns>();
        services.AddGantryApiDocumentation();
        return services;
    }

    /// <summary>Whether a request's failures are the management API's to tell; paths are routed whatever their case.</summary>
    public static bool IsMeant(HttpContext http) => http.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase);
}
