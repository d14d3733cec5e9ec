using Gantry.Core;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Server.Api;
using Gantry.Server.Auth;
using Gantry.Server.Health;
using Gantry.Server.Limits;
using Gantry.Server.Search;
using Gantry.Server.Telemetry;
using Gantry.Server.Ui;
using Gantry.Server.V2;
using Gantry.Server.Workers;
using Gantry.Storage;
using Gantry.Storage.FileSystem;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gantry.Server;

/// <summary>
/// A registry put together from its configuration. Lifecycle: <see cref="Create"/> (checks every setting, starts
/// nothing), <see cref="StartDatabaseAsync"/>, <see cref="ServeAsync"/>; disposing it stops what was started.
/// </summary>
public sealed class GantryServer : IAsyncDisposable
{
    /// <summary>
    /// The request line: a manifest may be pushed with many tags at once. The largest body outside of uploads is a
    /// manifest (4 MiB), whose own limit answers first.
    /// </summary>
    private const int MaxRequestLineBytes = 32 * 1024, MaxBodyBytes = 8 * 1024 * 1024;

    /// <summary>What of a request may wait in memory for its endpoint; a quarter of Kestrel's own, and no slower.</summary>
    private const int RequestBufferBytes = 256 * 1024;

    /// <summary>Nobody reads settings again. A watcher costs one of the 128 that Linux gives a user, and where they are used up neither a server nor a verb would start.</summary>
    private const string Unwatched = "--hostBuilder:reloadConfigOnChange=false";

    private readonly WebApplication _app;
    private LocalPostgres? _postgres;

    private GantryServer(WebApplication app) => _app = app;

    /// <summary>The running application: its services, and the URLs it listens on.</summary>
    public WebApplication App => _app;

    /// <param name="arguments">Settings as <c>--Section:Key=value</c>; they win over environment and files.</param>
    /// <param name="time">Another clock than the system's.</param>
    /// <exception cref="OptionsValidationException">Settings are wrong; all of them are named.</exception>
    /// <exception cref="InvalidDataException">A file of settings cannot be read.</exception>
    public static GantryServer Create(string[] arguments, TimeProvider? time = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = [.. arguments, Unwatched] });
        // The settings that came with the program, below those of the working folder, the environment and the arguments.
        builder.Configuration.Sources.Insert(0, new JsonConfigurationSource
        {
            FileProvider = new PhysicalFileProvider(AppContext.BaseDirectory), Path = "appsettings.json", Optional = true,
        });
        builder.WebHost.ConfigureKestrel(ConfigureKestrel);
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, TransferBuffers>();
        builder.Services.AddGantryCore(builder.Configuration);
        builder.Services.AddGantryAccess(builder.Configuration);
        builder.Services.AddGantryApi();
        builder.Services.AddGantryUi(builder.Configuration);
        builder.Services.AddGantryHealth();
        builder.Services.AddSingleton<MigrationRunner>();
        builder.Services.AddSettings<ServerOptions>(builder.Configuration, "Server");
        builder.Services.AddGantryStorage(builder.Configuration);
        builder.Services.AddSingleton<V2Pipeline>();
        builder.Services.AddHostedService<GarbageCollectionWorker>().AddHostedService<ScrubWorker>();
        builder.Services.AddHostedService<EventWorker>().AddHostedService<LayerWorker>().AddHostedService<WebhookWorker>();
        builder.Services.AddHostedService<StatisticsWorker>().AddHostedService<PullCountWorker>();
        builder.Services.AddHostedService<NodeWorker>().AddHostedService<StorageSampleWorker>();
        if (time is not null) builder.Services.AddSingleton(time);

        var app = builder.Build();
        var faults = SettingFaults.Of(arguments, app.Configuration, app.Services.GetRequiredService<IStartupValidator>());
        if (faults.Count > 0) throw new OptionsValidationException("settings", typeof(GantryServer), faults);
        // Not by a Configure of its own: building the host would read the settings, and throw at the first fault.
        app.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout =
            app.Services.GetRequiredService<IOptions<ServerOptions>>().Value.ShutdownTimeout;
        MapRequests(app);
        return new GantryServer(app);
    }

    /// <summary>Connects to the configured PostgreSQL, or starts our own, and brings its tables up to date.</summary>
    /// <param name="beside">
    /// True for a command that may run beside a server on the same data folder: it uses that server's PostgreSQL.
    /// </param>
    /// <returns>How many migrations were applied.</returns>
    public async Task<int> StartDatabaseAsync(bool beside, CancellationToken cancellationToken)
    {
        var address = _app.Services.GetRequiredService<DatabaseAddress>();
        if (_app.Configuration.GetConnectionString("Registry") is { Length: > 0 } configured)
        {
            address.ConnectionString = configured;
        }
        else
        {
            _postgres = await LocalPostgres.StartAsync(
                new LocalPostgresOptions
                {
                    DataRoot = _app.Services.GetRequiredService<IOptions<DataOptions>>().Value.Root, JoinRunning = beside,
                },
                _app.Services.GetRequiredService<ILogger<LocalPostgres>>(), _app.Services.GetRequiredService<TimeProvider>(),
                cancellationToken);
            address.ConnectionString = _postgres.ConnectionString;
            // Its idle connections die with it; each would fail one request more.
            _postgres.Died += (_, _) => _app.Services.GetRequiredService<NpgsqlDataSource>().Clear();
        }

        var database = _app.Services.GetRequiredService<NpgsqlDataSource>();
        return await _app.Services.GetRequiredService<MigrationRunner>().RunAsync(database, cancellationToken);
    }

    /// <summary>Starts to answer requests; returns once the server listens.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _app.Services.GetRequiredService<IBlobStore>().ProbeAsync(cancellationToken);
        await _app.Services.GetRequiredService<AccessStartup>().RunAsync(Console.Out, cancellationToken);
        await _app.Services.GetRequiredService<ProtectionKeys>().PrepareAsync(
            _app.Services.GetRequiredService<IKeyManager>(), cancellationToken);
        await _app.StartAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        if (_postgres is not null) await _postgres.DisposeAsync();
    }

    private static void ConfigureKestrel(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestLineSize = MaxRequestLineBytes;
        kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
        kestrel.Limits.MaxRequestBufferSize = RequestBufferBytes;
        // A layer may come over a slow line, or rest while its client compresses the next part; a minute of silence is
        // a connection that is gone.
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 1, gracePeriod: TimeSpan.FromMinutes(1));
        kestrel.Limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 1, gracePeriod: TimeSpan.FromMinutes(1));
    }

    // The stages of a request, in order.
    private static void MapRequests(WebApplication app)
    {
        var options = app.Services.GetRequiredService<IOptions<ServerOptions>>().Value;
        UseForwardedHeaders(app, options);
        app.UseMiddleware<RequestLog>();
        app.UseWhen(http => http.Request.Path.StartsWithSegments("/v2", StringComparison.Ordinal), v2 =>
        {
            UseWarning(v2, options.Warning);
            v2.UseMiddleware<OciErrorRendering>();
            v2.UseMiddleware<AddressLimit>();
            v2.Run(http => http.RequestServices.GetRequiredService<V2Pipeline>().InvokeAsync(http));
        });
        app.UseWhen(ApiServices.IsMeant, api => api.UseMiddleware<ProblemRendering>());
        var hasPages = app.Services.GetRequiredService<IOptions<UiOptions>>().Value.Enabled;
        app.UseWhen(http => !ApiServices.IsMeant(http), rest =>
        {
            rest.UseMiddleware<OciErrorRendering>();
            if (hasPages) rest.UseMiddleware<PageErrors>();
        });
        app.UseMiddleware<AddressLimit>();
        app.UseWhen(http => http.Request.Path.StartsWithSegments(ApiDocumentation.Path, StringComparison.Ordinal), pages => pages.UseGantryApiDocumentation());
        // Here and not before all others, where it would be otherwise: /v2 is matched by its own table.
        app.UseRouting();
        if (hasPages) app.UseMiddleware<PageGuard>();
        app.MapGantryApi();
        app.MapGantryAuth();
        app.MapDockerSearch();
        app.MapGantryHealth();
        if (hasPages) app.MapGantryUi();
    }

    private static void UseForwardedHeaders(WebApplication app, ServerOptions options)
    {
        var forwarded = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost,
            ForwardLimit = null,
        };
        forwarded.KnownIPNetworks.Clear();
        forwarded.KnownProxies.Clear();
        foreach (var proxy in options.Proxies) forwarded.KnownIPNetworks.Add(proxy);
        if (options.TrustedProxies.Count > 0) app.UseForwardedHeaders(forwarded);
    }

    private static void UseWarning(IApplicationBuilder app, string text)
    {
        if (text.Length == 0) return;
        var value = $"299 - \"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
        app.Use((http, next) =>
        {
            http.Response.Headers.Warning = value;
            return next(http);
        });
    }
}
