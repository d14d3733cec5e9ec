using Gantry.Core.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gantry.Core.Tests.Data;

/// <summary>A data folder of its own, and what the tests of the private PostgreSQL ask of it.</summary>
public abstract class LocalPostgresFixture : IDisposable
{
    private protected string Root { get; } = Directory.CreateTempSubdirectory("gantry-pg-").FullName;

    private protected string DataRoot => Path.Combine(Root, "data");

    private protected string Cluster => Path.Combine(DataRoot, "postgres");

    public void Dispose()
    {
        // Where a test failed half way, something may still run here.
        foreach (var folder in Directory.GetDirectories(Root, "postgres", SearchOption.AllDirectories))
        {
            foreach (var pid in ClusterProcesses.Find(folder)) Posix.Signal(pid, Posix.Sigkill);
        }

        Directory.Delete(Root, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <remarks>Not durable unless said: what a killed process wrote survives without fsync, and the tests take half as long.</remarks>
    private protected Task<LocalPostgres> StartAsync(
        string? dataRoot = null, IReadOnlyList<string>? binaries = null, bool join = false, bool durable = false) =>
        LocalPostgres.StartAsync(
            new LocalPostgresOptions { DataRoot = dataRoot ?? DataRoot, BinaryFolders = binaries, JoinRunning = join, Durable = durable },
            NullLogger.Instance, TimeProvider.System, CancellationToken.None);

    private protected async Task<string> RefusalAsync(string? dataRoot = null, IReadOnlyList<string>? binaries = null) =>
        (await Assert.ThrowsAsync<LocalPostgresException>(() => StartAsync(dataRoot, binaries))).Message;

    private protected static async Task<T> AskAsync<T>(string connectionString, string sql)
    {
        // Unpooled: these tests end the server under their connections.
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        var answer = await command.ExecuteScalarAsync();
        return answer is null or DBNull ? default! : (T)answer;
    }

    private protected static Task<T> AskAsync<T>(LocalPostgres postgres, string sql) => AskAsync<T>(postgres.ConnectionString, sql);

    /// <summary>For kill -9: what happens meanwhile cannot be awaited, only asked for.</summary>
    private protected static async Task UntilAsync(Func<bool> condition, string what)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            Assert.False(limit.IsCancellationRequested, $"not within 60 s: {what}");
            await Task.Delay(5);
        }
    }

    private protected static bool IsAlive(int pid) =>
        File.Exists($"/proc/{pid}/stat") && !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ");
}
