using System.Diagnostics;
using Gantry.Core.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gantry.TestKit;

/// <summary>
/// One private PostgreSQL per test process, started at the first <see cref="TestDatabase.CreateAsync"/> and stopped
/// when the process ends. As an assembly fixture it is stopped after the last test:
/// <c>[assembly: AssemblyFixture(typeof(PostgresCluster))]</c>.
/// </summary>
/// <remarks>
/// It is a <see cref="LocalPostgres"/> in a temporary folder without fsync. It runs in a session of its own, so Ctrl-C ends the
/// tests and the exit handler ends PostgreSQL. A test process that is killed leaves both behind: the next test
/// process on the machine finds the folder without an owner, stops the orphan and removes it.
/// </remarks>
public sealed class PostgresCluster : IAsyncDisposable
{
    private const string FolderPrefix = "gantry-test-postgres-";
    private static readonly Lazy<Task<Running>> Shared = new(StartAsync, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>Connects to the cluster's own <c>postgres</c> database as its superuser.</summary>
    internal static async Task<string> AdministrationAsync() => (await Shared.Value).Administration;

    /// <summary>The name of a database that has every migration and no rows.</summary>
    internal static async Task<string> TemplateAsync() => await (await Shared.Value).Template.Value;

    public async ValueTask DisposeAsync()
    {
        if (Shared.IsValueCreated) await StopAsync(await Shared.Value);
    }

    private static async Task<Running> StartAsync()
    {
        foreach (var abandoned in Directory.GetDirectories(Path.GetTempPath(), FolderPrefix + "*")) await SweepAsync(abandoned);

        var folder = Path.Combine(Path.GetTempPath(), $"{FolderPrefix}{Environment.ProcessId}-{Guid.NewGuid():N}"[..48]);
        var postgres = await LocalPostgres.StartAsync(Options(folder), NullLogger.Instance, TimeProvider.System, CancellationToken.None);
        var running = new Running(folder, postgres);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => StopAsync(running).AsTask().GetAwaiter().GetResult();
        return running;
    }

    private static LocalPostgresOptions Options(string folder) => new() { DataRoot = folder, Durable = false };

    private static async ValueTask StopAsync(Running running)
    {
        if (!running.TryEnd()) return;
        await running.Postgres.DisposeAsync();
        Directory.Delete(running.Folder, recursive: true);
    }

    // Starting adopts the orphan, which is the one safe way to stop it; a folder in use refuses and stays.
    private static async Task SweepAsync(string folder)
    {
        try
        {
            // A process that is starting has made its folder and not yet taken its lock: its id is in the name.
            var owner = Path.GetFileName(folder)[FolderPrefix.Length..].Split('-')[0];
            if (Directory.Exists($"/proc/{owner}")) return;
            if (File.Exists(Path.Combine(folder, "postgres", "postmaster.pid")))
            {
                await using var orphan = await LocalPostgres.StartAsync(
                    Options(folder), NullLogger.Instance, TimeProvider.System, CancellationToken.None);
            }

            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is LocalPostgresException or IOException or UnauthorizedAccessException)
        {
            Debug.WriteLine($"{folder} stays: {e.Message}");
        }
    }

    private sealed class Running(string folder, LocalPostgres postgres)
    {
        private int ended;

        internal string Folder => folder;

        internal LocalPostgres Postgres => postgres;

        internal string Administration { get; } =
            new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Database = "postgres", MaxPoolSize = 4 }.ConnectionString;

        internal Lazy<Task<string>> Template => field ??= new(MakeTemplateAsync);

        internal bool TryEnd() => Interlocked.Exchange(ref ended, 1) == 0;

        private async Task<string> MakeTemplateAsync()
        {
            // Unpooled: a template must have no session when it is copied.
            var unpooled = new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Pooling = false }.ConnectionString;
            await using var database = NpgsqlDataSource.Create(unpooled);
            await new MigrationRunner(NullLogger<MigrationRunner>.Instance).RunAsync(database, CancellationToken.None);
            return new NpgsqlConnectionStringBuilder(unpooled).Database!;
        }
    }
}
