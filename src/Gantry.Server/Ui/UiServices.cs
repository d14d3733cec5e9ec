using Gantry.Core;
using Gantry.Server.Workers;

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
        // PageGuard looks at every form by itself. The framework's middleware wants the keys before there is a database.
        services.Configure<RouteOptions>(options => options.SuppressCheckForUnhandledSecurityMetadata = true);
        services.AddSingleton<Notices>();
        services.AddSingleton<PageAccess>();
        services.AddSingleton<GarbageCollectionRun>().AddHostedService(of => of.GetRequiredService<GarbageCollectionRun>());
        return services;
    }

    public static void MapGantryUi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapRazorComponents<App>().Add(AnswerHead);
        endpoints.MapGet(SiteFiles.Path + "{file}", SiteFiles.AnswerAsync);
        endpoints.MapPost("/signout", SmallForms.SignOut).WithMetadata(new NeedsAttribute(Needs.Nothing));
        endpoints.MapPost("/theme", SmallForms.SetThemeAsync).WithMetadata(new NeedsAttribute(Needs.Nothing));
        endpoints.MapGet("/document/{*Name}", ImageDocument.AnswerAsync).WithMetadata(new NeedsAttribute(Needs.Repository));
        endpoints.MapGet("/audit/export", AuditExport.AnswerAsync).WithMetadata(new NeedsAttribute(Needs.Audit));
    }

    // Probes and link checkers ask so; the page is made, and its body is dropped.
    private static void AnswerHead(EndpointBuilder page)
    {
        if (page.Metadata.OfType<HttpMethodMetadata>().LastOrDefault() is { } methods)
            page.Metadata.Add(new HttpMethodMetadata([.. methods.HttpMethods, HttpMethods.Head]));
    }
}
