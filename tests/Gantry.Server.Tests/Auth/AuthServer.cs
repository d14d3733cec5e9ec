using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.TestKit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Gantry.Server.Tests.Auth;

/// <summary>
/// The real server with the accounts admin (administrator) and jane, the public namespace a, of which jane is a writer, and no
/// repository. jane may create other namespaces.
/// </summary>
internal sealed class AuthServer : IAccessRules, IAsyncDisposable
{
    public const string JanePassword = "jane's pässword: with colons";

    private readonly RegistryServer _server;

    private AuthServer(RegistryServer server)
    {
        _server = server;
        Client = new HttpClient(new SocketsHttpHandler
        {
            UseCookies = false,
            AllowAutoRedirect = false,
            RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
        })
        {
            BaseAddress = Address,
        };
    }

    public Uri Address => _server.Address;

    /// <summary>Without a credential.</summary>
    public HttpClient Client { get; }

    public static string Jane => Basic("jane", JanePassword);

    public static string Admin => Basic("admin", RegistryServer.Password);

    public IServiceProvider Services => _server.Services;

    public static async Task<AuthServer> StartAsync(params string[] settings)
    {
        var server = new AuthServer(await RegistryServer.StartAsync(["Access:PasswordHashIterations=100000", .. settings]));
        await server.CreateAccountAsync("jane", JanePassword, new AccountSettings { CreatesNamespaces = true });
        await server.AddNamespaceAsync("a", Visibility.Public);
        await server.SetRoleAsync("a", "jane", NamespaceRole.Writer);
        return server;
    }

    /// <summary>Sends one request; <paramref name="authorization"/> is the whole header. The answer is never a 5xx.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        string method, string path, string? authorization = null, HttpContent? content = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = content };
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        var response = await Client.SendAsync(request);
        Assert.True((int)response.StatusCode < 500, $"{response.StatusCode}: {method} {path}, {authorization}");
        return response;
    }

    /// <summary>A bearer token as a header, from GET /token.</summary>
    public async Task<string> BearerAsync(string query, string? authorization = null)
    {
        using var response = await SendAsync("GET", $"/token?{query}", authorization);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return $"Bearer {(await JsonAsync(response)).GetProperty("token").GetString()}";
    }

    /// <summary>A genuine token of this registry, issued to jane by a node whose clock says that it is earlier.</summary>
    public async Task<string> EarlierBearerAsync(string scopes, TimeSpan ago)
    {
        await using var node = new ServiceCollection()
            .AddLogging()
            .AddSingleton<TimeProvider>(new LateTime(ago))
            .AddDbContextFactory<RegistryDbContext>(options => options.UseNpgsql(_server.ConnectionString))
            .AddAccessRules(new ConfigurationBuilder().Build())
            .BuildServiceProvider();
        var jane = new LoggedIn(await this.AccountAsync("jane"), Guid.Empty);
        var granted = await node.GetRequiredService<BearerTokens>().IssueAsync(jane, ScopeRequest.Parse([scopes])!);
        return $"Bearer {granted.Token.Text}";
    }

    public Task<HttpResponseMessage> PostAsync(params (string Key, string Value)[] form) =>
        SendAsync("POST", "/token", content: new FormUrlEncodedContent(form.Select(pair => KeyValuePair.Create(pair.Key, pair.Value))));

    public static string Basic(string name, string password) =>
        $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}"))}";

    public static async Task<JsonElement> JsonAsync(HttpResponseMessage response) =>
        JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;

    /// <summary>The one challenge of a 401.</summary>
    public static AuthenticationHeaderValue ChallengeOf(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Single(response.Headers.GetValues("WWW-Authenticate"));
        return Assert.Single(response.Headers.WwwAuthenticate);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _server.DisposeAsync();
    }

    private sealed class LateTime(TimeSpan ago) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() - ago;
    }
}
