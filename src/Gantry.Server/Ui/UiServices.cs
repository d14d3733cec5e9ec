using Gantry.Core;
using Gantry.Server.Workers;
using Microsoft.AspNetCore.Antiforgery;

namespace Gantry.Server.Ui;

/// <summary>What the composition root calls.</summary>
internal static class UiServices
{
    public static IServiceCollection AddGantryUi(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<UiOptions>(configuration, "Ui");
        services.AddRazorComponents();
        services.AddAntiforgery(options =>
        {
            options.Cookie.Name = "gantry_forms";
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            // PageGuard says it for every page, with or without a form.
            options.SuppressXFrameOptionsHeader = true;
        });
        services.AddSingleton<Notices>();
        services.AddSingleton<PageAccess>();
        services.AddSingleton<GarbageCollectionRun>().AddHostedService(of => of.GetRequiredService<GarbageCollectionRun>());
        return services;
    }

    /// <summary>Between routing and the endpoints: who visits, whether he may, and whether a form is one of ours.</summary>
    public static void UseGantryUi(this IApplicationBuilder app)
    {
        app.UseMiddleware<PageGuard>();
        app.UseAntiforgery();
        app.Use((http, next) => http.Features.Get<IAntiforgeryValidationFeature>() is { IsValid: false }
            ? throw new PageException(400, "This form was opened too long ago, or by somebody else. Go back, reload the page and send it again.")
            : next(http));
    }

    public static void MapGantryUi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapRazorComponents<App>();
        endpoints.MapGet(SiteFiles.Path + "{file}", SiteFiles.AnswerAsync);
        endpoints.MapPost("/signout", SmallForms.SignOut).WithMetadata(new NeedsAttribute(Needs.Nothing), new RequireAntiforgeryTokenAttribute());
        endpoints.MapPost("/theme", SmallForms.SetThemeAsync).WithMetadata(new NeedsAttribute(Needs.Nothing), new RequireAntiforgeryTokenAttribute());
        endpoints.MapGet("/audit/export", AuditExport.AnswerAsync).WithMetadata(new NeedsAttribute(Needs.Audit));
    }
}
