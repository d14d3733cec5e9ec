using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Core.Push;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Core.Webhooks;
using Gantry.Oci;
using Gantry.TestKit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gantry.Core.Tests.Webhooks;

/// <summary>
/// The rules on a database of their own, without HTTP and without workers, and with a clock of the test's. Deliveries may go to loopback
/// addresses. <see cref="AnotherNode"/> is a second process as far as the database can tell.
/// </summary>
internal sealed class HookRegistry : IAsyncDisposable
{
    public static readonly Actor Jane = new("jane", "192.0.2.7", "request-1", "docker/27");

    private readonly ServiceProvider _services;
    private readonly bool _owned;
    private readonly string[] _settings;

    private HookRegistry(TestDatabase database, bool owned, ManualTime time, Func<string, IPAddress[]>? dns, string[] settings)
    {
        (Database, Time, _owned, _settings) = (database, time, owned, settings);
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Access:Anonymous"] = "Full", ["Webhooks:AllowedNetworks:0"] = "127.0.0.0/8" })
            .AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2)).ToDictionary(pair => pair[0], pair => (string?)pair[1]))
            .Build();
        var services = new ServiceCollection()
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new ListedLog(Log)))
            .AddGantryCore(configuration).AddAccessRules(configuration)
            .AddSingleton(database.DataSource).AddSingleton<TimeProvider>(time)
            .ConfigureDbContext<RegistryDbContext>(options => options.AddInterceptors(Pauses.Commands));
        if (dns is not null)
        {
            services.AddSingleton(of => new TargetDialer(of.GetRequiredService<TargetAddresses>(), time)
            {
                Resolve = (name, _) => Task.FromResult(dns(name)),
            });
        }

        _services = services.BuildServiceProvider();
    }

    public TestDatabase Database { get; }

    public ManualTime Time { get; }

    /// <summary>Shows the plans of what it sends to the database.</summary>
    public Pauses Pauses { get; } = new();

    /// <summary>Every line that this node logged, of whatever level.</summary>
    public ConcurrentQueue<string> Log { get; } = new();

    public WebhookSender Sender => Get<WebhookSender>();

    public static async Task<HookRegistry> CreateAsync(params string[] settings) => await CreateAsync(null, settings);

    /// <param name="dns">What names stand for; null: what they do.</param>
    public static async Task<HookRegistry> CreateAsync(Func<string, IPAddress[]>? dns, params string[] settings) =>
        new(await TestDatabase.CreateAsync(), owned: true, new ManualTime(), dns, settings);

    public HookRegistry AnotherNode(params string[] settings) => new(Database, owned: false, Time, null, settings.Length > 0 ? settings : _settings);

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public async Task<Webhook> AddAsync(string url, string? home = null, params string[] kinds) =>
        (await AddAsync(url, home, settings => settings with { Kinds = kinds.Length > 0 ? kinds : settings.Kinds })).Webhook;

    public async Task<MadeWebhook> AddAsync(string url, string? home, Func<NewWebhookSettings, NewWebhookSettings> adjust)
    {
        var usual = new NewWebhookSettings("a hook", WebhookUrl.Parse(url), WebhookFormat.CloudEvents, [EventKinds.Push, EventKinds.TagDelete]);
        var made = await Get<WebhookList>().CreateAsync(home is null ? null : NamespaceName.Parse(home), adjust(usual), Jane, default);
        return made!;
    }

    /// <summary>An index of nothing, which needs nothing.</summary>
    public async Task<Digest> PushAsync(string repository, params string[] tags)
    {
        var payload = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[]}""");
        var digest = Digest.Of(payload);
        await Get<ManifestPush>().PushAsync(RepositoryName.Parse(repository), new ManifestToPush(
            digest, payload, ManifestDocument.Parse(payload, MediaTypes.OciIndex), [.. tags.Select(TagName.Parse)]), Jane, default);
        return digest;
    }

    public Task HappenAsync(Event what) => Get<AuditTrail>().RecordAsync(what, Jane, default);

    /// <summary>Makes deliveries of all that happened.</summary>
    public async Task FollowAsync()
    {
        while (await Get<EventOutbox>().FollowAsync(default) == EventOutbox.Batch) continue;
    }

    /// <summary>Sends what is due, and waits for the answers.</summary>
    public async Task SendAsync()
    {
        while (await Sender.BeginAsync(default) > 0) await Sender.DrainAsync();
    }

    public async Task FollowAndSendAsync()
    {
        await FollowAsync();
        await SendAsync();
    }

    /// <summary>Newest first.</summary>
    public Task<IReadOnlyList<Delivery>> DeliveriesAsync(Webhook webhook) => Get<WebhookDeliveries>().PageAsync(webhook.Id, null, 1000, default);

    public async Task<Delivery> DeliveryAsync(Webhook webhook) => Assert.Single(await DeliveriesAsync(webhook));

    public async Task<Webhook> NowAsync(Webhook webhook) => (await Get<WebhookList>().FindAsync(webhook.Id, default))!;

    /// <summary>What <c>events</c> has of a kind, oldest first.</summary>
    public async Task<List<EventRow>> EventsAsync(string kind)
    {
        await using var db = await Get<IDbContextFactory<RegistryDbContext>>().CreateDbContextAsync();
        return await db.Events.Where(row => row.Kind == kind).OrderBy(row => row.Id).ToListAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql, params object[] values)
    {
#pragma warning disable CA2100 // statements of the tests
        await using var command = Database.DataSource.CreateCommand(sql);
#pragma warning restore CA2100
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        return await command.ExecuteScalarAsync() is T found ? found : default!;
    }

    /// <summary>Ends the connection that says that this node runs, as its death would.</summary>
    public async Task DieAsync()
    {
        var number = await Get<NodePresence>().NumberAsync(default);
        await ScalarAsync<bool>(
            $"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = {NodePresence.LockClass} AND objid = {number}::oid");
        await UntilAsync($"SELECT NOT {NodePresence.IsRunning($"{number}")}");
    }

    /// <summary>Asks until the answer is true, or something else has ended.</summary>
    public async Task UntilAsync(string question, Task? orElse = null)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (orElse is not { IsCompleted: true } && !await ScalarAsync<bool>(question))
        {
            Assert.False(limit.IsCancellationRequested, question);
            await Task.Delay(5);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Sender.DrainAsync();
        await _services.DisposeAsync();
        if (_owned) await Database.DisposeAsync();
    }

    private sealed class ListedLog(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
            // Holds nothing.
        }
    }
}
