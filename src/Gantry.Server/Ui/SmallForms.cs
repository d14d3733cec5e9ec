using Gantry.Server.Auth;

namespace Gantry.Server.Ui;

/// <summary>The forms that stand on every page.</summary>
internal static class SmallForms
{
    public const string ThemeCookie = "gantry_theme";

    private static readonly TimeSpan ThemeLifetime = TimeSpan.FromDays(365);

    public static void SignOut(HttpContext http)
    {
        http.RequestServices.GetRequiredService<SessionLogins>().End(http);
        Visit.Of(http).See("signin", "You are signed out.");
    }

    public static async Task SetThemeAsync(HttpContext http)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var visit = Visit.Of(http);
        var options = new CookieOptions
        {
            HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = !visit.IsPlainHttp, Path = visit.Root, MaxAge = ThemeLifetime, IsEssential = true,
        };
        if (form["theme"] == "auto") http.Response.Cookies.Delete(ThemeCookie, options);
        else if (form["theme"].ToString() is "light" or "dark") http.Response.Cookies.Append(ThemeCookie, form["theme"]!, options);

        var back = form["return"].ToString();
        var isOurs = SignOnEndpoints.IsLocalPath(back) && back.StartsWith(visit.Root, StringComparison.Ordinal);
        visit.See(isOurs ? back[visit.Root.Length..] : "");
    }

    /// <summary>light, dark, or null: as the system has it.</summary>
    public static string? ThemeOf(HttpContext http) => http.Request.Cookies[ThemeCookie] is ("light" or "dark") and var theme ? theme : null;
}
