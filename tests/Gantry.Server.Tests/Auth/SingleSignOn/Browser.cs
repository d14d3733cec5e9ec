using System.Net;
using System.Text.Json;

namespace Gantry.Server.Tests.Auth;

/// <summary>Goes where it is sent, and keeps each server's cookies apart by path, as a browser does.</summary>
internal sealed class Browser(Uri registry) : IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    private readonly Dictionary<string, CookieContainer> _cookies = [];

    /// <summary>All that the registry's answers have set or deleted so far, as they stood.</summary>
    public List<string> SetByRegistry { get; } = [];

    public CookieContainer Cookies(Uri address) =>
        _cookies.TryGetValue(address.Authority, out var known) ? known : _cookies[address.Authority] = new CookieContainer();

    /// <summary>The registry's cookie, with the path it is for.</summary>
    public Cookie? Cookie(string name) =>
        Cookies(registry).GetAllCookies().SingleOrDefault(cookie => cookie.Name == name && !cookie.Expired);

    public Task<HttpResponseMessage> GetAsync(string path) => SendAsync(HttpMethod.Get, new Uri(registry, path));

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Uri address, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        var cookies = Cookies(address);
        using var request = new HttpRequestMessage(method, address) { Content = content };
        if (cookies.GetCookieHeader(address) is { Length: > 0 } shown) request.Headers.Add("Cookie", shown);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        var response = await _client.SendAsync(request);
        if (!response.Headers.TryGetValues("Set-Cookie", out var set)) return response;
        foreach (var cookie in set)
        {
            cookies.SetCookies(address, cookie);
            if (address.Authority == registry.Authority) SetByRegistry.Add(cookie);
        }

        return response;
    }

    /// <summary>From the registry through the provider up to, but not into, the callback: its address.</summary>
    /// <param name="subject">Who proves himself to the provider; null: somebody who breaks it off.</param>
    public async Task<Uri> ToCallbackAsync(string provider, string? subject, string returnPath = "/")
    {
        var next = new Uri(registry, $"/sso/{provider}/login?return={Uri.EscapeDataString(returnPath)}");
        for (var hop = 0; hop < 10; hop++)
        {
            using var response = await SendAsync(HttpMethod.Get, next);
            Assert.True((int)response.StatusCode is 302 or 303, $"{next}: {response.StatusCode} {await response.Content.ReadAsStringAsync()}");
            next = new Uri(next, response.Headers.Location!);
            if (next.AbsolutePath.EndsWith("/callback", StringComparison.Ordinal)) return next;
            if (next.AbsolutePath.StartsWith("/interaction/", StringComparison.Ordinal) && subject is not null)
                next = new Uri($"{next}?as={subject}");
        }

        throw new InvalidOperationException($"the provider sends in circles: {next}");
    }

    /// <summary>The registry's answer to the callback.</summary>
    public async Task<HttpResponseMessage> SignInAsync(string provider, string? subject, string returnPath = "/") =>
        await SendAsync(HttpMethod.Get, await ToCallbackAsync(provider, subject, returnPath));

    /// <summary>Signs in, and gives what the registry then says of the session.</summary>
    public async Task<JsonElement> SignedInAsync(string provider, string subject)
    {
        using var answer = await SignInAsync(provider, subject);
        Assert.True(answer.StatusCode == HttpStatusCode.Redirect, await answer.Content.ReadAsStringAsync());
        using var session = await GetAsync("/session");
        Assert.Equal(HttpStatusCode.OK, session.StatusCode);
        return JsonDocument.Parse(await session.Content.ReadAsStringAsync()).RootElement;
    }

    public void Dispose() => _client.Dispose();
}
