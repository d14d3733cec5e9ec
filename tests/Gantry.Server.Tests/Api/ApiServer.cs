using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gantry.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Gantry.Server.Tests.Api;

/// <summary>What came back: the status, the headers, and the JSON there was.</summary>
internal sealed record Answer(HttpStatusCode Status, HttpResponseHeaders Headers, string? ContentType, JsonElement Json)
{
    public JsonElement this[string name] => Json.GetProperty(name);

    public string? Text(string name) => Json.GetProperty(name).GetString();

    /// <summary>The header's one value; null where there is none.</summary>
    public string? Header(string name) => Headers.TryGetValues(name, out var values) ? values.Single() : null;

    public Answer Is(int status)
    {
        Assert.True((int)Status == status, $"{(int)Status}, not {status}: {Json}");
        if (status < 400) return this;
        Assert.Equal("application/problem+json", ContentType);
        Assert.Equal(status, this["status"].GetInt32());
        Assert.Equal(Header("X-Request-Id"), Text("requestId"));
        if (status != 500) Assert.False(string.IsNullOrWhiteSpace(Text("detail")));
        return this;
    }

    /// <summary>The names of what is wrong.</summary>
    public string[] Faults => [.. this["errors"].EnumerateObject().Select(fault => fault.Name)];
}

/// <summary>
/// A real server with the administrator admin, and people made through its own API: may (creates namespaces), stan (has
/// nothing), and one for each role, who has it in <see cref="NewNamespaceAsync"/>'s. All passwords are <see cref="Password"/>.
/// </summary>
public sealed class ApiServer : IAsyncLifetime
{
    public const string Password = RegistryServer.Password;

    private static readonly string[] Roles = ["reader", "writer", "maintainer"];

    private int _names;
    private RegistryServer? _server;
    private HttpClient? _client;

    internal RegistryServer Server => _server!;

    internal T Get<T>() where T : notnull => Server.Services.GetRequiredService<T>();

    public async ValueTask InitializeAsync()
    {
        _server = await RegistryServer.StartAsync(
            "Access:PasswordHashIterations=100000", "Access:Throttle:FailuresPerAccountAndAddress=1000",
            "Access:Throttle:FailuresPerAddress=100000", "Access:Throttle:FailuresPerAccount=100000",
            "Webhooks:AllowedNetworks:0=127.0.0.1", "Gc:MaxShare=1");
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = _server.Address };
        _client.DefaultRequestHeaders.UserAgent.ParseAdd("api-tests/1");
        await AddPersonAsync("may", new { createsNamespaces = true });
        await AddPersonAsync("stan");
        foreach (var role in Roles) await AddPersonAsync(role);
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_server is not null) await _server.DisposeAsync();
    }

    /// <summary>A name that nothing else in this server has.</summary>
    internal string NewName(string prefix = "n") => $"{prefix}{Interlocked.Increment(ref _names)}";

    /// <summary>Sends one request below /api/v1, or to a whole path.</summary>
    /// <param name="who">A person's name; a whole Authorization header; null: nobody.</param>
    /// <param name="body">An object to send as JSON, or an HttpContent.</param>
    internal async Task<Answer> SendAsync(
        string method, string path, string? who = "admin", object? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(
            new HttpMethod(method), path.StartsWith("/api", StringComparison.OrdinalIgnoreCase) ? path : $"/api/v1{path}");
        if (body is not null)
            request.Content = body as HttpContent ?? new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        if (who is not null)
            request.Headers.TryAddWithoutValidation("Authorization", who.Contains(' ', StringComparison.Ordinal) ? who : Basic(who, Password));
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);

        using var response = await _client!.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var isJson = response.Content.Headers.ContentType?.MediaType is { } type && type.EndsWith("json", StringComparison.Ordinal);
        var json = isJson && text.Length > 0 ? JsonDocument.Parse(text).RootElement.Clone() : default;
        return new Answer(response.StatusCode, response.Headers, response.Content.Headers.ContentType?.MediaType, json);
    }

    /// <summary>Follows <c>next</c> to the end.</summary>
    internal async Task<List<List<JsonElement>>> PagesAsync(string path, string who = "admin")
    {
        var pages = new List<List<JsonElement>>();
        for (var next = path; next is not null; Assert.True(pages.Count < 1000, "the pages never end"))
        {
            var page = (await SendAsync("GET", next, who)).Is(200);
            pages.Add([.. page["items"].EnumerateArray()]);
            next = page.Text("next");
            Assert.Equal(next is null ? null : $"<{next}>; rel=\"next\"", page.Header("Link"));
        }

        return pages;
    }

    internal async Task AddPersonAsync(string name, object? settings = null)
    {
        var body = JsonSerializer.SerializeToNode(settings ?? new { })!.AsObject();
        (body["name"], body["password"]) = (name, Password);
        (await SendAsync("POST", "/accounts", "admin", body)).Is(201);
    }

    /// <summary>A namespace in which reader, writer and maintainer are what their names say.</summary>
    internal async Task<string> NewNamespaceAsync(string visibility = "private")
    {
        var name = NewName("ns");
        (await SendAsync("POST", "/namespaces", "admin", new { name, visibility })).Is(201);
        foreach (var role in Roles)
            (await SendAsync("PUT", $"/namespaces/{name}/members/accounts/{role}", "admin", new { role })).Is(204);
        return name;
    }

    /// <summary>The text of a new access token.</summary>
    internal async Task<string> NewTokenAsync(string account, string who, params string[] scopes) =>
        (await SendAsync("POST", $"/accounts/{account}/tokens", who, new { name = "test", scopes })).Is(201).Text("token")!;

    /// <summary>The newest event of a kind in a namespace, or of all.</summary>
    internal async Task<JsonElement> LastEventAsync(string kind, string? ns = null) =>
        (await SendAsync("GET", $"/events?limit=1&kind={kind}{(ns is null ? "" : $"&namespace={ns}")}")).Is(200)["items"][0];

    internal static string Basic(string name, string secret) => $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{secret}"))}";

    internal static string Bearer(string token) => $"Bearer {token}";
}

/// <summary>A collection's fixture is gone before an assembly's: the server stops before its PostgreSQL does.</summary>
[CollectionDefinition]
public sealed class ApiCollection : ICollectionFixture<ApiServer>;
