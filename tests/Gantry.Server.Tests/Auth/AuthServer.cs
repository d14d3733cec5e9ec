using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Oci;
using Gantry.Server.Auth;
using Gantry.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gantry.Server.Tests.Auth;

/// <summary>
/// The token service and the access check on a real port and a real database, in front of routes under /v2 that do
/// nothing but ask for access: every repository is empty. It has the accounts admin (administrator) and jane.
/// </summary>
internal sealed class AuthServer : IAsyncDisposable
{
    public const string AdminPassword = "admin's password";
    public const string JanePassword = "jane's pässword: with colons";

    private readonly WebApplication _app;
    private readonly TestDatabase _database;

    private AuthServer(WebApplication app, TestDatabase database, ManualTime time)
    {
        _app = app;
        _database = database;
        Time = time;
        Address = new Uri(app.Urls.Single());
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

    public Uri Address { get; }

    /// <summary>Without a credential; it shows failures as they come.</summary>
    public HttpClient Client { get; }

    public ManualTime Time { get; }

    /// <summary>Requests that ended in a fault of ours: none, ever.</summary>
    public int Faults { get; private set; }

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    public static async Task<AuthServer> StartAsync(params (string Key, string Value)[] settings)
    {
        var database = await TestDatabase.CreateAsync();
        var time = new ManualTime();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Access:AdminPassword"] = AdminPassword,
            ["Access:PasswordHashIterations"] = "100000",
        });
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(pair => pair.Key, pair => (string?)pair.Value));
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddDbContextFactory<RegistryDbContext>(options => options.UseNpgsql(database.DataSource));
        builder.Services.AddGantryAccess(builder.Configuration);
        builder.Services.AddRouting();

        var app = builder.Build();
        AuthServer? server = null;
        app.Use((context, next) => RenderAsync(context, next, () => server!.Faults++));
        app.MapGantryAuth();
        app.Map("/v2/{**rest}", AnswerAsync);

        await app.Services.GetRequiredService<AccessStartup>().RunAsync(TextWriter.Null);
        await app.Services.GetRequiredService<Accounts>().CreateAsync(AccountName.Parse("jane"), JanePassword, false);
        await app.StartAsync();
        server = new AuthServer(app, database, time);
        return server;
    }

    /// <summary>Sends one request; <paramref name="authorization"/> is the whole header.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        string method, string path, string? authorization = null, HttpContent? content = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = content };
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return await Client.SendAsync(request);
    }

    /// <summary>A bearer token as a header, from GET /token.</summary>
    public async Task<string> BearerAsync(string query, string? authorization = null)
    {
        using var response = await SendAsync("GET", $"/token?{query}", authorization);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return $"Bearer {(await JsonAsync(response)).GetProperty("token").GetString()}";
    }

    public Task<HttpResponseMessage> PostAsync(params (string Key, string Value)[] form) =>
        SendAsync("POST", "/token", content: new FormUrlEncodedContent(form.Select(pair => KeyValuePair.Create(pair.Key, pair.Value))));

    public static string Basic(string name, string password) =>
        $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}"))}";

    public static string Jane => Basic("jane", JanePassword);

    public static string Admin => Basic("admin", AdminPassword);

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
        await _app.DisposeAsync();
        await _database.DisposeAsync();
        Assert.Equal(0, Faults);
    }

    private static async Task<IResult> AnswerAsync(HttpContext context, RequestAccess access, string? rest)
    {
        if (string.IsNullOrEmpty(rest))
        {
            await access.RequireBaseAsync(context);
            return Results.Json(new { });
        }

        if (rest == "_catalog")
        {
            await access.RequireCatalogAsync(context);
            return Results.Json(new { repositories = Array.Empty<string>() });
        }

        var repository = RepositoryName.Parse(rest.Split(["/blobs/", "/manifests/", "/tags/"], StringSplitOptions.None)[0]);
        var actions = context.Request.Method switch
        {
            "GET" or "HEAD" => RepositoryActions.Pull,
            "DELETE" => RepositoryActions.Delete,
            _ => RepositoryActions.Push,
        };
        var caller = await access.RequireAsync(context, repository, actions);
        context.Response.Headers["Test-Account"] = caller.Account;
        if (actions != RepositoryActions.Push) throw new OciException(OciErrorCode.ManifestUnknown);
        await context.Request.Body.CopyToAsync(Stream.Null);
        return Results.StatusCode(202);
    }

    private static async Task RenderAsync(HttpContext context, RequestDelegate next, Action fault)
    {
        try
        {
            await next(context);
        }
        catch (OciException e)
        {
            context.Response.StatusCode = e.Status;
            if (e.RetryAfterSeconds is { } seconds) context.Response.Headers.RetryAfter = $"{seconds}";
            var error = new { code = e.Code.Text().Wire, message = e.Code.Text().Message, detail = e.Detail };
            await context.Response.WriteAsJsonAsync(new { errors = new[] { error } });
        }
        catch (Exception e) when (e is not BadHttpRequestException and not OperationCanceledException)
        {
            fault();
            throw;
        }
    }
}
