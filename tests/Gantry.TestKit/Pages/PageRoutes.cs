using System.Reflection;
using Gantry.Server;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.AspNetCore.WebUtilities;

namespace Gantry.TestKit;

/// <summary>The web page's pages as its code declares them: a page that is added is among them.</summary>
public static class PageRoutes
{
    private static readonly List<TemplateMatcher> Matchers = [.. typeof(GantryServer).Assembly.GetTypes()
        .SelectMany(type => type.GetCustomAttributes<RouteAttribute>()).Select(route => TemplateParser.Parse(route.Template.TrimStart('/')))
        .OrderBy(RoutePrecedence.ComputeInbound).Select(template => new TemplateMatcher(template, []))];

    /// <summary><c>/namespaces/{Ns}</c> and so on.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Matchers.Select(RouteOf).Order(StringComparer.Ordinal)];

    /// <summary>The route that answers a path; null: no page does.</summary>
    public static string? Of(string path) => Matchers.FirstOrDefault(matcher => matcher.TryMatch(path.Split('?')[0], [])) is { } found ? RouteOf(found) : null;

    /// <summary>What tells two sorts of pages apart: the route, and what the query is about, whatever it says. Null: no page.</summary>
    public static string? KindOf(string path)
    {
        if (Of(path) is not { } route) return null;
        var query = path.IndexOf('?', StringComparison.Ordinal);
        var names = query < 0 ? [] : QueryHelpers.ParseQuery(path[query..]).Keys.Order(StringComparer.Ordinal).ToList();
        return names.Count == 0 ? route : $"{route}?{string.Join('&', names)}";
    }

    private static string RouteOf(TemplateMatcher matcher) => "/" + matcher.Template.TemplateText;
}
