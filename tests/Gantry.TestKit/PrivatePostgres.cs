using Gantry.Core.Data;
using Npgsql;

namespace Gantry.TestKit;

/// <summary>The PostgreSQL that a server runs for itself below its data folder, seen from outside: processes and rows.</summary>
public sealed class PrivatePostgres(string dataRoot)
{
    private string Cluster => Path.Combine(dataRoot, "postgres");

    /// <summary>Null where none runs.</summary>
    public int? ProcessId =>
        PostmasterFile.Read(Cluster) is { } file && ClusterProcesses.Contains(Cluster, file.Pid) ? file.Pid : null;

    /// <summary>Unpooled: whoever asks outlives the server that was asked.</summary>
    public string ConnectionString => new NpgsqlConnectionStringBuilder
    {
        Host = PostgresLauncher.Resolve(PostmasterFile.Read(Cluster)!.SocketFolder, Cluster), Port = SocketFolder.Port,
        Username = ClusterFolder.UserName, Database = RegistryDatabase.Name, Pooling = false,
        Password = File.ReadAllText(Path.Combine(Cluster, "gantry-password")).Trim(),
        SslMode = SslMode.Disable, GssEncryptionMode = GssEncryptionMode.Disable,
    }.ConnectionString;

    /// <summary>To the postmaster and to every process it started.</summary>
    public void SignalAll(int signal)
    {
        foreach (var process in ClusterProcesses.Find(Cluster)) _ = ServerProcess.Kill(process, signal);
    }

    /// <summary>To the postmaster alone.</summary>
    public void Signal(int signal)
    {
        if (ProcessId is { } postmaster) _ = ServerProcess.Kill(postmaster, signal);
    }

    public async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        return connection;
    }
}
