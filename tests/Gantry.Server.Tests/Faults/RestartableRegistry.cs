using Gantry.Server.Tests.Nodes;
using Gantry.TestKit;
using Npgsql;

namespace Gantry.Server.Tests.Faults;

/// <summary>
/// A data folder of its own, and the process that serves it at the moment. Everybody may push and delete: logging in
/// is not what these tests are about. The database is the server's own unless a setting says otherwise.
/// </summary>
internal sealed class RestartableRegistry : IInspected, IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-fault-");
    private readonly List<string> _mounts = [];
    private ServerProcess? _server;
    private HttpClient? _client;

    public RestartableRegistry() => Postgres = new PrivatePostgres(DataRoot);

    public string Folder => _folder.FullName;

    public string DataRoot => Path.Combine(Folder, "data");

    /// <summary>The blob store's root, unless a setting moves it.</summary>
    public string StoreRoot { get; init => field = Path.GetFullPath(value); } = "";

    public PrivatePostgres Postgres { get; }

    /// <summary>Settings of every start, <c>Section:Key=value</c>.</summary>
    public string[] Settings { get; init; } =
        ["Access:Anonymous=Full", "Access:AdminPassword=test-password", "Gc:MaxShare=1"]; // tests wait for what it collects

    public Dictionary<string, string> Environment { get; } = [];

    public ServerProcess Server => _server!;

    public bool IsRunning => _server is { HasExited: false };

    public HttpClient Client => _client!;

    public string Store => StoreRoot.Length > 0 ? StoreRoot : Path.Combine(DataRoot, "blobs");

    private string FailpointFile => Path.Combine(Folder, "failpoint");

    SharedStore IInspected.Bytes => new SharedFolder(Store);

    /// <param name="failpoint">Where the process ends itself.</param>
    /// <param name="settings"><c>Section:Key=value</c>.</param>
    public ServerProcess Launch(string? failpoint, params string[] settings)
    {
        if (IsRunning) throw new InvalidOperationException("the one before still runs");
        Arm(failpoint);
        return _server = ServerProcess.Launch(Folder,
        [
            "serve", "--urls=http://127.0.0.1:0", $"--Data:Root={DataRoot}", $"--Storage:FileSystem:Root={Store}",
            .. Settings.Concat(settings).Select(setting => $"--{setting}"),
        ], With(FailpointFile));
    }

    /// <summary>Where the server ends itself from now on, the one that runs or the next; null: nowhere.</summary>
    public void Arm(string? failpoint)
    {
        // In one step: the server may look at this moment.
        File.WriteAllText($"{FailpointFile}.new", failpoint ?? "");
        File.Move($"{FailpointFile}.new", FailpointFile, overwrite: true);
    }

    /// <summary>Another process on the same data folder, with these arguments alone; runs to its end.</summary>
    public async Task<(int ExitCode, string Output, string Errors)> RunAsync(string[] arguments, string input = "", string? failpoint = null)
    {
        await using var other = ServerProcess.Launch(Folder, [.. arguments, $"--Data:Root={DataRoot}"], With(failpoint ?? ""), input);
        return (await other.WaitForExitAsync(), other.Output, other.Errors);
    }

    /// <summary>Starts, and returns once it listens.</summary>
    public async Task StartAsync(string? failpoint = null, params string[] settings)
    {
        var address = await Launch(failpoint, settings).ListeningAsync();
        _client?.Dispose();
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
    }

    /// <summary>Puts a small disk (a tmpfs) at a folder, until this is disposed.</summary>
    public async Task MountAsync(string folder, int megabytes)
    {
        Assert.True(System.Environment.UserName == "root", "mounting a small tmpfs takes root: run the tests as root");
        Directory.CreateDirectory(folder);
        Assert.Equal(0, await CommandAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "gantry-small-disk", folder));
        _mounts.Add(folder);
    }

    public async Task<int> ReadyAsync()
    {
        using var answer = await Client.GetAsync("/healthz/ready");
        return (int)answer.StatusCode;
    }

    /// <summary>Waits until the server takes requests again; nothing but asking tells.</summary>
    public async Task UntilReadyAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await ReadyAsync() != 200)
        {
            Assert.False(limit.IsCancellationRequested, $"not ready within 60 s:\n{Server.Output}");
            await Task.Delay(50);
        }
    }

    /// <summary>Waits until the server runs another PostgreSQL than the one killed: until then old connections may still answer.</summary>
    public async Task UntilPostgresIsBackAsync(int? killed)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (Postgres.ProcessId is not { } now || now == killed)
        {
            Assert.False(limit.IsCancellationRequested, $"PostgreSQL is not back within 60 s:\n{Server.Output}");
            await Task.Delay(20);
        }

        await UntilReadyAsync();
    }

    public async Task<List<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> read)
    {
        await using var connection = await Postgres.ConnectAsync();
#pragma warning disable CA2100 // written in the tests
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await using var rows = await command.ExecuteReaderAsync();
        var found = new List<T>();
        while (await rows.ReadAsync()) found.Add(read(rows));
        return found;
    }

    public Task ExecuteAsync(string sql) => QueryAsync(sql, _ => 0);

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_server is not null) await _server.DisposeAsync();
        // A killed server's database lives on, and its files must not be written while they are removed.
        while (Postgres.ProcessId is not null)
        {
            Postgres.SignalAll(ServerProcess.SigKill);
            await Task.Delay(10);
        }

        foreach (var mount in _mounts) Assert.Equal(0, await CommandAsync("umount", mount));
        _folder.Delete(recursive: true);
    }

    private Dictionary<string, string> With(string failpoint) => new(Environment) { ["GANTRY_FAILPOINT"] = failpoint };

    private static async Task<int> CommandAsync(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
