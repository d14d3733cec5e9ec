using System.Net;
using System.Text.RegularExpressions;

namespace Gantry.Server.Tests.Ui;

/// <summary>A browser without script: it keeps cookies, fills in forms as they stand in a page, and says where they come from.</summary>
internal sealed class PageBrowser(Uri address) : IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    public CookieContainer Cookies { get; } = new();

    /// <summary>Another node of the same registry, say.</summary>
    public Uri Address { get; set; } = address;

    public Task<PageAnswer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, null, headers);

    /// <summary>The page that a form's answer sends to.</summary>
    public Task<PageAnswer> FollowAsync(PageAnswer answer)
    {
        answer.Is(303);
        return GetAsync(answer.Location!);
    }

    public async Task<PageAnswer> SendAsync(HttpMethod method, string path, HttpContent? content, params (string Name, string Value)[] headers)
    {
        var to = new Uri(Address, path);
        using var request = new HttpRequestMessage(method, to) { Content = content };
        request.Headers.Add("Accept", "text/html");
        // A cookie knows no port: every node here is one host.
        if (Cookies.GetCookieHeader(new Uri("http://127.0.0.1/")) is { Length: > 0 } shown) request.Headers.Add("Cookie", shown);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _client.SendAsync(request);
        if (response.Headers.TryGetValues("Set-Cookie", out var set))
        {
            foreach (var cookie in set) Cookies.SetCookies(new Uri("http://127.0.0.1/"), cookie);
        }

        return new PageAnswer(this, to.PathAndQuery, response.StatusCode, response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase),
            await response.Content.ReadAsStringAsync());
    }

    public void Dispose() => _client.Dispose();
}

/// <summary>What came back, with its forms.</summary>
internal sealed partial record PageAnswer(
    PageBrowser Browser, string Path, HttpStatusCode Status, IReadOnlyDictionary<string, string> Headers, string Html)
{
    public string? Location => Headers.GetValueOrDefault("Location");

    public PageAnswer Is(int status)
    {
        Assert.True((int)Status == status, $"{Path}: {(int)Status}, not {status}: {Html}");
        return this;
    }

    /// <summary>A form that cannot be done now says so, when it can be, and by which request that is found again.</summary>
    public void IsToBeSentAgain(int status)
    {
        EveryPageTests.Check(Is(status));
        Assert.InRange(int.Parse(Headers["Retry-After"], System.Globalization.CultureInfo.InvariantCulture), 1, 3600);
        Assert.Contains("Not now: ", Text, StringComparison.Ordinal);
        Assert.Contains($"Wait a few seconds, then send it again. Where it stays so, tell an administrator: request {Headers["X-Request-Id"]} ", Text, StringComparison.Ordinal);
    }

    /// <summary>What somebody reads: the content without tags and entities.</summary>
    public string Text => WebUtility.HtmlDecode(Spaces().Replace(Tags().Replace(Main, " "), " "));

    /// <summary>The content, without what stands around it on every page.</summary>
    public string Main => Html[Html.IndexOf("<main", StringComparison.Ordinal)..Html.IndexOf("</main>", StringComparison.Ordinal)];

    /// <summary>The value of a button of a row whose text holds this: what it would send.</summary>
    public string Button(string form, string name, string row)
    {
        var found = Rows().Matches(Main).Select(match => match.Value).Single(text => text.Contains(row, StringComparison.Ordinal));
        var button = Regex.Match(found, $"<button form=\"{form}\" name=\"{name}\" value=\"([^\"]*)\"");
        Assert.True(button.Success, found);
        return WebUtility.HtmlDecode(button.Groups[1].Value);
    }

    /// <summary>Sends a form of this page with its hidden fields, as a browser would.</summary>
    /// <param name="form">Its id, or its action.</param>
    public Task<PageAnswer> SubmitAsync(string form, params (string Name, string Value)[] fields) => SubmitAsync(form, [], fields);

    /// <param name="headers">In place of those by which a browser says where the form comes from.</param>
    public Task<PageAnswer> SubmitAsync(string form, (string Name, string Value)[] headers, (string Name, string Value)[] fields)
    {
        var match = Forms().Matches(Html).Single(match => match.Groups["tag"].Value.Contains($"\"{form}\"", StringComparison.Ordinal));
        var action = WebUtility.HtmlDecode(Regex.Match(match.Groups["tag"].Value, "action=\"([^\"]*)\"").Groups[1].Value);
        var hidden = Hidden().Matches(match.Groups["body"].Value)
            .Select(field => KeyValuePair.Create(field.Groups["name"].Value, WebUtility.HtmlDecode(field.Groups["value"].Value)));
        var content = new FormUrlEncodedContent(hidden.Concat(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))));
        (string, string)[] from = headers.Length > 0 ? headers : [("Origin", Browser.Address.GetLeftPart(UriPartial.Authority))];
        return Browser.SendAsync(HttpMethod.Post, action.StartsWith('/') ? action : $"/{action}", content, from);
    }

    [GeneratedRegex("<form(?<tag>[^>]*)>(?<body>.*?)</form>", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Forms();

    [GeneratedRegex("<input type=\"hidden\" name=\"(?<name>[^\"]*)\" value=\"(?<value>[^\"]*)\"", RegexOptions.ExplicitCapture)]
    private static partial Regex Hidden();

    [GeneratedRegex("<tr>.*?</tr>", RegexOptions.Singleline)]
    private static partial Regex Rows();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tags();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
