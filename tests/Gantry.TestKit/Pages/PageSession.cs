using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Gantry.TestKit;

/// <summary>What a page's address answered.</summary>
/// <param name="Bytes">Of its body, as sent.</param>
/// <param name="First">From the request to the first byte of the answer.</param>
/// <param name="Took">From the request to its last byte.</param>
/// <param name="IsWhole">Whether a part that is sent after the rest came within ten seconds; it was waited for no longer.</param>
public sealed record PageReply(
    HttpStatusCode Status, string? Location, string? ContentType, long Bytes, string Text, TimeSpan First, TimeSpan Took, bool IsWhole)
{
    public bool IsHtml => ContentType == "text/html";

    /// <summary>Whether a part of it was sent after the rest.</summary>
    public bool IsStreamed => !IsWhole || Text.Contains("<blazor-ssr>", StringComparison.Ordinal);
}

/// <summary>Somebody who visits pages, signed in by the form that people use or as nobody, over one connection that stays open.</summary>
public sealed partial class PageSession : IDisposable
{
    private readonly HttpClient _client;
    private readonly CookieContainer _cookies = new();

    private PageSession(Uri address)
    {
        Address = address;
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = _cookies }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
        _client.DefaultRequestHeaders.Add("Accept", "text/html");
    }

    public Uri Address { get; }

    /// <summary>For a browser that is to be the same visitor.</summary>
    public IReadOnlyList<Cookie> Cookies => _cookies.GetAllCookies().ToList();

    /// <param name="account">Null: nobody.</param>
    public static async Task<PageSession> OpenAsync(Uri address, string? account, string password)
    {
        var session = new PageSession(address);
        if (account is null) return session;
        var page = await session.GetAsync("/signin");
        using var form = new FormUrlEncodedContent(
        [
            .. Hidden().Matches(page.Text[page.Text.IndexOf("id=\"signin\"", StringComparison.Ordinal)..])
                .Select(field => KeyValuePair.Create(field.Groups["name"].Value, WebUtility.HtmlDecode(field.Groups["value"].Value))),
            KeyValuePair.Create("name", account), KeyValuePair.Create("password", password),
        ]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/signin") { Content = form };
        request.Headers.Add("Origin", address.GetLeftPart(UriPartial.Authority));
        using var answer = await session._client.SendAsync(request);
        return answer.StatusCode == HttpStatusCode.SeeOther ? session
            : throw new InvalidOperationException($"{account} cannot sign in: {answer} {await answer.Content.ReadAsStringAsync()}");
    }

    /// <summary>Follows no redirect.</summary>
    public async Task<PageReply> GetAsync(string path)
    {
        var began = Stopwatch.GetTimestamp();
        using var answer = await AnswerAsync(path);
        var first = Stopwatch.GetElapsedTime(began);
        using var body = new MemoryStream();
        var isWhole = await TryReadAsync(answer.Content, body);
        var took = Stopwatch.GetElapsedTime(began);
        var type = answer.Content.Headers.ContentType?.MediaType;
        return new PageReply(answer.StatusCode, answer.Headers.Location?.ToString(), type, body.Length,
            type == "text/html" ? Encoding.UTF8.GetString(body.ToArray()) : "", first, took, isWhole);
    }

    private static async Task<bool> TryReadAsync(HttpContent content, MemoryStream body)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await using var stream = await content.ReadAsStreamAsync(limit.Token);
            await stream.CopyToAsync(body, limit.Token);
            return true;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task<HttpResponseMessage> AnswerAsync(string path)
    {
        try
        {
            return await _client.GetAsync(new Uri(Address, path), HttpCompletionOption.ResponseHeadersRead);
        }
        catch (TaskCanceledException late)
        {
            throw new InvalidOperationException($"{path} is not answered within {_client.Timeout.TotalSeconds} s", late);
        }
    }

    public void Dispose() => _client.Dispose();

    [GeneratedRegex("<input type=\"hidden\" name=\"(?<name>[^\"]*)\" value=\"(?<value>[^\"]*)\"", RegexOptions.ExplicitCapture)]
    private static partial Regex Hidden();
}
