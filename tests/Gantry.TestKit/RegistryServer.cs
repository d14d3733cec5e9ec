using System.Net.Http.Headers;
using System.Text;
using Gantry.Server;

namespace Gantry.TestKit;

/// <summary>
/// The real server, in this process, on a port of its own, with a database and a folder of its own; blobs lie where
/// <see cref="TestBackend"/> says. Its administrator is <c>admin</c> with <see cref="Password"/>.
/// </summary>
public sealed class RegistryServer : IAccessRules, IAsyncDisposable
{
    public const string Password = "test-password";

    private readonly TestDatabase _database;
    private readonly bool _ownsDatabase;
    private readonly DirectoryInfo _root;
    private GantryServer _server;

    private RegistryServer(TestDatabase database, bool ownsDatabase, DirectoryInfo root, S3Bucket? bucket, GantryServer server) =>
        (_database, _ownsDatabase, _root, Bucket, _server) = (database, ownsDatabase, root, bucket, server);

    public Uri Address => new(_server.App.Urls.First());

    public IServiceProvider Services => _server.App.Services;

    public string DataRoot => _root.FullName;

    /// <summary>Where its blobs lie; null: in files below <see cref="DataRoot"/>.</summary>
    public S3Bucket? Bucket { get; }

    public string ConnectionString => _database.ConnectionString;

    /// <param name="settings">Further settings, as <c>Section:Key=value</c>.</param>
    public static Task<RegistryServer> StartAsync(params string[] settings) => StartAsync(time: null, settings);

    /// <summary>The same with a clock of the test's own.</summary>
    public static async Task<RegistryServer> StartAsync(TimeProvider? time, params string[] settings)
    {
        var database = await TestDatabase.CreateAsync();
        var root = Directory.CreateTempSubdirectory("gantry-test-");
        var bucket = await TestBackend.CreateAsync();
        return new RegistryServer(database, true, root, bucket, await StartAsync(database, root, bucket, settings, time));
    }

    /// <summary>
    /// A second server on the same database and the same store, as behind a balancer. It is disposed before this one.
    /// </summary>
    public async Task<RegistryServer> AnotherNodeAsync(params string[] settings) =>
        new(_database, ownsDatabase: false, _root, Bucket, await StartAsync(_database, _root, Bucket, settings));

    /// <summary>Stops the server as a signal would and starts another on the same data and another port.</summary>
    public async Task RestartAsync(params string[] settings)
    {
        await StopAsync();
        _server = await StartAsync(_database, _root, Bucket, settings);
    }

    /// <summary>A client that sends every request as this account, or as nobody.</summary>
    public HttpClient Client(string? account = "admin", string password = Password)
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Address };
        if (account is not null) client.DefaultRequestHeaders.Authorization = Basic(account, password);
        return client;
    }

    public static AuthenticationHeaderValue Basic(string account, string password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{account}:{password}")));

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (!_ownsDatabase) return;
        await _database.DisposeAsync();
        _root.Delete(recursive: true);
    }

    private async Task StopAsync()
    {
        await _server.App.StopAsync();
        await _server.DisposeAsync();
    }

    private static async Task<GantryServer> StartAsync(
        TestDatabase database, DirectoryInfo root, S3Bucket? bucket, string[] settings, TimeProvider? time = null)
    {
        string[] arguments =
        [
            "--urls=http://127.0.0.1:0", $"--Data:Root={root.FullName}", $"--ConnectionStrings:Registry={database.ConnectionString}",
            $"--Access:AdminPassword={Password}", "--Access:PasswordHashIterations=100000",
            "--Logging:LogLevel:Default=Warning", "--Logging:LogLevel:Microsoft.Hosting.Lifetime=Warning",
            .. TestBackend.Settings(bucket).Concat(settings).Select(setting => $"--{setting}"),
        ];
        var server = GantryServer.Create(arguments, time);
        await server.StartDatabaseAsync(beside: false, CancellationToken.None);
        await server.StartAsync(CancellationToken.None);
        return server;
    }
}
