using Gantry.Server.Tests.Faults;
using Gantry.TestKit;
using Npgsql;

namespace Gantry.Server.Tests.Nodes;

/// <summary>
/// Server processes on one database and one store, and a balancer in front that gives each request to the next of them.
/// Everybody may push and delete.
/// </summary>
internal sealed class NodeCluster : IInspected, IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-nodes-");
    private readonly string[] _settings;

    private NodeCluster(TestDatabase database, SharedStore store, ReverseProxy balancer, string[] settings)
    {
        (Database, Bytes, Balancer) = (database, store, balancer);
        _settings =
        [
            "Access:Anonymous=Full", "Access:AdminPassword=test-password", "Access:PasswordHashIterations=100000", .. store.Settings, .. settings,
        ];
        Client = NewClient(balancer.Address);
    }

    public TestDatabase Database { get; }

    public SharedStore Bytes { get; }

    public ReverseProxy Balancer { get; }

    /// <summary>Asks the balancer.</summary>
    public HttpClient Client { get; }

    public List<Node> Nodes { get; } = [];

    /// <param name="backend">Of the store.</param>
    /// <param name="nodes">How many to start, all at once.</param>
    /// <param name="isEmpty">Without any table.</param>
    /// <param name="settings">Of every node, <c>Section:Key=value</c>.</param>
    public static async Task<NodeCluster> StartAsync(Backend backend, int nodes, bool isEmpty, params string[] settings)
    {
        var database = isEmpty ? await TestDatabase.CreateEmptyAsync() : await TestDatabase.CreateAsync();
        var cluster = new NodeCluster(database, await SharedStore.CreateAsync(backend), await ReverseProxy.StartAsync(), settings);
        try
        {
            for (var number = 0; number < nodes; number++) cluster.Nodes.Add(new Node(cluster, number));
            await Task.WhenAll(cluster.Nodes.Select(node => node.StartAsync()));
            cluster.Balance();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The balancer asks the nodes that run.</summary>
    public void Balance() => Balancer.Targets = [.. Nodes.Where(node => node.IsRunning).Select(node => node.Client.BaseAddress!)];

    /// <summary>What every process of this cluster is started with, the address it listens on apart.</summary>
    public string[] SettingsOf(string name) =>
    [
        $"--Data:Root={Path.Combine(_folder.FullName, name)}",
        $"--ConnectionStrings:Registry={new NpgsqlConnectionStringBuilder(Database.ConnectionString) { ApplicationName = name, MaxPoolSize = 20 }}",
        .. _settings.Select(setting => $"--{setting}"),
    ];

    public ServerProcess Launch(string name, string? failpoint) => ServerProcess.Launch(_folder.FullName,
        ["serve", "--urls=http://127.0.0.1:0", .. SettingsOf(name)],
        new Dictionary<string, string> { ["GANTRY_FAILPOINT"] = failpoint ?? "" });

    /// <summary>Waits until PostgreSQL has ended every session of a process that is gone: what it sent last is done by then, or never.</summary>
    public async Task UntilForgottenAsync(string name)
    {
        for (var patience = 3000; await BackendsAsync(name, "count(*)") > 0; patience--)
        {
            Assert.True(patience > 0, $"sessions of {name} stay");
            await Task.Delay(10);
        }
    }

    /// <summary>Ends every database session of a process, as an administrator or a network would.</summary>
    public Task CutDatabaseOffAsync(string name) => BackendsAsync(name, "count(pg_terminate_backend(pid))");

    public async Task<List<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> read)
    {
#pragma warning disable CA2100 // written in the tests
        await using var command = Database.DataSource.CreateCommand(sql);
#pragma warning restore CA2100
        await using var rows = await command.ExecuteReaderAsync();
        var found = new List<T>();
        while (await rows.ReadAsync()) found.Add(read(rows));
        return found;
    }

    public async Task<long> CountAsync(string sql) => (await QueryAsync(sql, row => row.GetInt64(0)))[0];

    public Task ExecuteAsync(string sql) => QueryAsync(sql, _ => 0);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        foreach (var node in Nodes) await node.DisposeAsync();
        await Balancer.DisposeAsync();
        await Database.DisposeAsync();
        await Bytes.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    internal static HttpClient NewClient(Uri address) =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(100) };

    private Task<long> BackendsAsync(string name, string what) =>
        CountAsync($"SELECT {what} FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{name}'");
}

/// <summary>One start of a node.</summary>
internal sealed record RunningNode(string Name, ServerProcess Process, HttpClient Client);

/// <summary>One of the processes; another one after each start.</summary>
internal sealed class Node(NodeCluster cluster, int number) : IAsyncDisposable
{
    // All are kept to the end: a request of somebody's may still be under way with any of them.
    private readonly List<RunningNode> _ended = [];
    private int _starts;
    private ServerProcess? _process;
    private RunningNode? _running;

    /// <summary>Of the latest process, to PostgreSQL.</summary>
    public string Name => $"node-{number}-{_starts}";

    public ServerProcess Process => _process!;

    public HttpClient Client => Running!.Client;

    /// <summary>The process that listens; null while there is none.</summary>
    public RunningNode? Running => Volatile.Read(ref _running) is { Process.HasExited: false } running ? running : null;

    public bool IsRunning => Running is not null;

    /// <summary>All that ever listened.</summary>
    public IEnumerable<RunningNode> Processes => _running is null ? _ended : _ended.Append(_running);

    /// <exception cref="InvalidOperationException">It ended before it listened, as a failpoint may want it to.</exception>
    public async Task StartAsync(string? failpoint = null)
    {
        if (_running is { } before) _ended.Add(before);
        Volatile.Write(ref _running, null);
        _starts++;
        _process = cluster.Launch(Name, failpoint);
        Volatile.Write(ref _running, new RunningNode(Name, _process, NodeCluster.NewClient(await _process.ListeningAsync())));
    }

    public async Task KillAsync()
    {
        if (!Process.HasExited) await Process.KillAsync();
        await cluster.UntilForgottenAsync(Name);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false }) _process.Signal(ServerProcess.SigContinue);
        if (_process is not null) await _process.DisposeAsync();
        if (_running is not null) _ended.Add(_running);
        foreach (var ended in _ended)
        {
            ended.Client.Dispose();
            if (ended.Process != _process) await ended.Process.DisposeAsync();
        }
    }
}
