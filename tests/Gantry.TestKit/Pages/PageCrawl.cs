using System.Net;
using System.Text.RegularExpressions;

namespace Gantry.TestKit;

/// <summary>A page, or something else that a page links to.</summary>
/// <param name="Kind">Of pages: <see cref="PageRoutes.KindOf"/>. Null: an answer of another sort.</param>
/// <param name="From">The page whose link led there first; of the first ones themselves.</param>
public sealed record FoundPage(string Path, string? Kind, string From, PageReply Reply);

/// <summary>
/// Walks from the first page along all links that it finds, and all choices of forms that ask for another page. Of links of one sort on pages of one sort it
/// takes the first few: a registry has more tags than anybody looks at, and each sort of page that there is comes up.
/// </summary>
/// <param name="without">A name in a query that is not to be followed; null: all are.</param>
public sealed partial class PageCrawl(PageSession session, int linksPerKind = 4, string? without = null)
{
    // An end to it, should pages ever name each other without one.
    private const int MostPages = 3000;

    private readonly Dictionary<string, int> _taken = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly Queue<(string Path, string From)> _waiting = new();

    public async Task<IReadOnlyList<FoundPage>> RunAsync(params string[] starts)
    {
        var found = new List<FoundPage>();
        foreach (var start in starts) Add(start, start, start);
        while (_waiting.TryDequeue(out var next))
        {
            if (found.Count == MostPages) throw new InvalidOperationException($"more than {MostPages} pages, {next.Path} from {next.From} among them");
            var reply = await session.GetAsync(next.Path);
            found.Add(new FoundPage(next.Path, PageRoutes.KindOf(next.Path), next.From, reply));
            if (reply is { Location: { } location, Status: HttpStatusCode.SeeOther or HttpStatusCode.Redirect }) Add(location, next.Path, next.Path);
            if (reply.IsHtml && PageRoutes.Of(next.Path) is not null)
            {
                foreach (var link in LinksOf(reply.Text)) Add(link, next.Path, PageRoutes.KindOf(next.Path)!);
            }
        }

        return found;
    }

    /// <summary>Where a page's links and choices lead, without those that leave the registry; without fragments.</summary>
    public IReadOnlyList<string> LinksOf(string html)
    {
        var root = new Uri(session.Address, WebUtility.HtmlDecode(Base().Match(html).Groups[1].Value));
        var links = Links().Matches(html).Select(link => link.Groups[1].Value).Concat(ChoicesOf(html));
        return [.. links.Select(link => new Uri(root, WebUtility.HtmlDecode(link)))
            .Where(link => link.Host == root.Host && link.Port == root.Port && link.Scheme == root.Scheme).Select(link => link.PathAndQuery).Distinct()];
    }

    private static IEnumerable<string> ChoicesOf(string html) =>
        from form in Forms().Matches(html)
        let rest = string.Concat(Filled().Matches(form.Groups["body"].Value).Select(field => $"&{field.Groups["name"].Value}={Escaped(field.Groups["value"].Value)}"))
        from choice in Choices().Matches(form.Groups["body"].Value)
        from option in Options().Matches(choice.Groups["body"].Value)
        select $"{form.Groups["action"].Value}?{choice.Groups["name"].Value}={Escaped(option.Groups[1].Value)}{rest}";

    private static string Escaped(string html) => Uri.EscapeDataString(WebUtility.HtmlDecode(html));

    private void Add(string link, string from, string fromKind)
    {
        var path = new Uri(session.Address, link).PathAndQuery;
        if (without is not null && (path.Contains($"?{without}", StringComparison.Ordinal) || path.Contains($"&{without}", StringComparison.Ordinal))) return;
        // Of what is no page the beginning of its path says what it is.
        var kind = PageRoutes.KindOf(path) ?? path.Split('?')[0].Split('/', 3)[1];
        var edge = $"{fromKind} -> {kind}";
        var taken = _taken.GetValueOrDefault(edge);
        if (taken == linksPerKind || !_seen.Add(path)) return;
        _taken[edge] = taken + 1;
        _waiting.Enqueue((path, from));
    }

    [GeneratedRegex("<base href=\"([^\"]*)\"")]
    private static partial Regex Base();

    [GeneratedRegex("<a\\s[^>]*?href=\"([^\"]*)\"")]
    private static partial Regex Links();

    [GeneratedRegex("<form[^>]*method=\"get\"[^>]*action=\"(?<action>[^\"]*)\"[^>]*>(?<body>.*?)</form>", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Forms();

    [GeneratedRegex("<select[^>]* name=\"(?<name>[^\"]*)\"[^>]*>(?<body>.*?)</select>", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Choices();

    [GeneratedRegex("<input(?=[^>]* name=\"(?<name>[^\"]+)\")(?=[^>]* value=\"(?<value>[^\"]+)\")", RegexOptions.ExplicitCapture)]
    private static partial Regex Filled();

    [GeneratedRegex("<option value=\"([^\"]+)\"")]
    private static partial Regex Options();
}
