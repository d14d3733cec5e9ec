using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gantry.Core.Data;

/// <summary>
/// The server's own PostgreSQL, for when no connection string is configured. It is started below the data folder,
/// restarted when it dies, and stopped with the server.
/// </summary>
/// <remarks>
/// Lifecycle: <see cref="StartAsync"/> returns when the database takes connections; from then on connections may fail
/// for as long as a crash recovery takes, and come back at the same <see cref="ConnectionString"/>. Disposing stops
/// PostgreSQL and waits for it. After kill -9 of the server PostgreSQL goes on alone; the next start adopts it.
/// README.md of this folder says who may connect and what each crash leaves.
/// </remarks>
public sealed partial class LocalPostgres : IAsyncDisposable
{
    private readonly DataFolderLock? folderLock;
    private readonly PostmasterStart? start;
    private readonly ILogger logger;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource stopping = new();
    private Postmaster? postmaster;
    private Task supervision = Task.CompletedTask;
    private int disposed;

    private LocalPostgres(
        string connectionString, DataFolderLock? folderLock, PostmasterStart? start, ILogger logger, TimeProvider time)
    {
        ConnectionString = connectionString;
        this.folderLock = folderLock;
        this.start = start;
        this.logger = logger;
        this.time = time;
    }

    /// <summary>For Npgsql: unix socket, user and password. Holds a secret; never log it.</summary>
    public string ConnectionString { get; }

    /// <summary>
    /// Raised when PostgreSQL died, before it is started again. Pooled connections are all dead then: clear the pools.
    /// </summary>
    public event EventHandler? Died;

    /// <summary>Raised when it is back after that.</summary>
    public event EventHandler? Restarted;

    /// <summary>The postmaster now running; for tests.</summary>
    internal int ProcessId => postmaster?.Pid ?? 0;

    /// <exception cref="LocalPostgresException">It cannot run here; the message says why and what to do.</exception>
    public static async Task<LocalPostgres> StartAsync(
        LocalPostgresOptions options, ILogger logger, TimeProvider time, CancellationToken ct)
    {
        var folder = new ClusterFolder(options);
        try
        {
            Directory.CreateDirectory(folder.Root);
            var taken = DataFolderLock.TryTake(folder.Root);
            if (taken is null) return options.JoinRunning ? Join(folder, logger, time) : throw DataFolderLock.Refusal(folder.Root);
            try
            {
                return await StartAsync(folder, options, taken, logger, time, ct);
            }
            catch
            {
                taken.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LocalPostgresException($"Cannot use the data folder {folder.Root}: {e.Message}", e);
        }
    }

    private static async Task<LocalPostgres> StartAsync(
        ClusterFolder folder, LocalPostgresOptions options, DataFolderLock folderLock, ILogger logger, TimeProvider time,
        CancellationToken ct)
    {
        var began = time.GetTimestamp();

        // 1. Which PostgreSQL, as whom.
        var account = PostgresAccount.For(folder.Path);
        folder.RemoveLeftovers();
        var major = folder.ReadMajor();
        var installed = await PostgresBinaries.FindAllAsync(options.BinaryFolders, ct);
        var binaries = ClusterVersion.Choose(installed, major, folder);
        var launcher = new PostgresLauncher(account, folder.Log.Path);

        // 2. A cluster, made at the first start.
        if (major is null)
        {
            await folder.CreateAsync(binaries, launcher, account, ct);
            LogCreated(logger, folder.Path, binaries.Major);
        }

        await folder.TakeOverAsync(account, ct);

        // 3. A postmaster: an orphan that still runs, or a new one.
        var starter = new PostmasterStart(folder, binaries, launcher, account, options.Durable, logger, time);
        var postgres = new LocalPostgres(
            Connect(starter.SocketFolder, folder.ReadPassword()), folderLock, starter, logger, time);
        postgres.postmaster = await starter.RunAsync(ct);
        try
        {
            await RegistryDatabase.EnsureAsync(postgres.ConnectionString, ct);
        }
        catch (Exception e)
        {
            await postgres.postmaster.StopAsync();
            throw e is NpgsqlException ? new LocalPostgresException($"The database in {folder.Path} runs, but does not let the server in: {e.Message}", e) : e;
        }

        postgres.supervision = postgres.SuperviseAsync(postgres.stopping.Token);
        var elapsed = time.GetElapsedTime(began);
        LogStarted(logger, folder.Path, binaries.Major, postgres.ProcessId, elapsed);
        return postgres;
    }

    private static LocalPostgres Join(ClusterFolder folder, ILogger logger, TimeProvider time)
    {
        var file = PostmasterFile.Read(folder.Path);
        if (file is not { IsReady: true })
        {
            throw new LocalPostgresException($"The server that uses {folder.Root} has no database running at this moment: try again.");
        }

        var socket = PostgresLauncher.Resolve(file.SocketFolder, folder.Path);
        return new LocalPostgres(Connect(socket, folder.ReadPassword()), null, null, logger, time);
    }

    private static string Connect(string socketFolder, string password) => new NpgsqlConnectionStringBuilder
    {
        Host = socketFolder,
        Port = SocketFolder.Port,
        Username = ClusterFolder.UserName,
        Password = password,
        Database = RegistryDatabase.Name,
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
        MaxPoolSize = PostmasterStart.MaxConnections - 20, // room for a person's psql, a backup and an admin command
    }.ConnectionString;

    /// <summary>Stops PostgreSQL (fast: sessions are cut) and waits until it has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        await stopping.CancelAsync();
        await supervision;
        if (postmaster is not null)
        {
            await postmaster.StopAsync();
            LogStopped(logger, postmaster.Pid);
            postmaster.Dispose();
        }

        start?.Dispose();
        folderLock?.Dispose();
        stopping.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Made a PostgreSQL {Major} cluster in {Folder}")]
    private static partial void LogCreated(ILogger logger, string folder, int major);

    [LoggerMessage(Level = LogLevel.Information, Message = "PostgreSQL {Major} runs on {Folder} as process {ProcessId} ({Elapsed})")]
    private static partial void LogStarted(ILogger logger, string folder, int major, int processId, TimeSpan elapsed);

    [LoggerMessage(Level = LogLevel.Information, Message = "PostgreSQL stopped (process {ProcessId})")]
    private static partial void LogStopped(ILogger logger, int processId);
}
