using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests.Clients;

/// <summary>
/// The requests of oras and helm, which Debian does not have, in their order: no request is authorized in advance,
/// each 401 is answered by the token that its challenge asks for, scopes seen before are asked for again with it.
/// </summary>
internal sealed partial class TokenSession(RegistryUnderTest registry, Login login, bool oauth2) : IDisposable
{
    private readonly HttpClient http = new() { BaseAddress = new Uri($"http://{registry.Host}") };
    private readonly SortedSet<string> scopes = new(StringComparer.Ordinal);
    private string? token;

    public TokenSession(RegistryUnderTest registry, bool oauth2)
        : this(registry, new Login(registry.User, registry.Password), oauth2)
    {
    }

    /// <summary>The bearer token of the last challenge that was answered.</summary>
    public string Token => token ?? throw new InvalidOperationException("no challenge was met yet");

    /// <summary>Every challenge met so far, as the registry wrote it.</summary>
    public List<string> Challenges { get; } = [];

    /// <summary>Sends a request, which is made anew when a challenge has to be answered.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, Func<HttpContent>? content = null, string? accept = null)
    {
        var answer = await SendOnceAsync(method, path, content, accept);
        if (answer.StatusCode != HttpStatusCode.Unauthorized) return answer;
        var challenge = Challenge().Match(answer.Headers.WwwAuthenticate.First().ToString());
        Assert.True(challenge.Success, $"not a Bearer challenge: {answer.Headers.WwwAuthenticate}");
        Challenges.Add(challenge.Value);
        answer.Dispose();
        if (challenge.Groups["scope"] is { Success: true } scope) scopes.UnionWith(scope.Value.Split(' '));
        token = await TokenAsync(challenge.Groups["realm"].Value, challenge.Groups["service"].Value);
        return await SendOnceAsync(method, path, content, accept);
    }

    public void Dispose() => http.Dispose();

    // oras: password grant with the scopes in one string. helm and docker: GET with Basic and repeated scopes.
    private async Task<string> TokenAsync(string realm, string service)
    {
        using var request = oauth2 ? PasswordGrant(realm, service) : BasicGet(realm, service);
        using var answer = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var body = (await answer.Content.ReadFromJsonAsync<JsonNode>())!;
        return (body["access_token"] ?? body["token"])!.GetValue<string>();
    }

    private HttpRequestMessage PasswordGrant(string realm, string service) => new(HttpMethod.Post, realm)
    {
        Content = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "password",
            ["service"] = service,
            ["client_id"] = "oras-go",
            ["username"] = login.User,
            ["password"] = login.Secret,
            ["scope"] = string.Join(' ', scopes),
        }),
    };

    private HttpRequestMessage BasicGet(string realm, string service)
    {
        var query = string.Join('&', scopes.Select(s => $"scope={Uri.EscapeDataString(s)}").Prepend($"service={service}"));
        var secret = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(login.Pair));
        return new(HttpMethod.Get, $"{realm}?{query}") { Headers = { Authorization = new("Basic", secret) } };
    }

    private Task<HttpResponseMessage> SendOnceAsync(HttpMethod method, string path, Func<HttpContent>? content, string? accept)
    {
        var request = new HttpRequestMessage(method, path) { Content = content?.Invoke() };
        if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    [GeneratedRegex("^Bearer realm=\"(?<realm>[^\"]+)\",\\s*service=\"(?<service>[^\"]*)\"(,\\s*scope=\"(?<scope>[^\"]*)\")?",
        RegexOptions.ExplicitCapture)]
    private static partial Regex Challenge();
}
