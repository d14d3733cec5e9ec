namespace Gantry.Core.Data;

/// <summary>What the server's own PostgreSQL needs to know.</summary>
public sealed record LocalPostgresOptions
{
    /// <summary>The data folder. The cluster is its subfolder <c>postgres</c>, its log <c>postgres.log</c>.</summary>
    public required string DataRoot { get; init; }

    /// <summary>
    /// For commands beside a running server (<c>gantry-server admin</c>): where another process holds the data
    /// folder, use its PostgreSQL instead of refusing. Disposing then stops nothing.
    /// </summary>
    public bool JoinRunning { get; init; }

    /// <summary>False only in tests: no fsync, so a power cut may lose the cluster; kill -9 loses nothing still.</summary>
    internal bool Durable { get; init; } = true;

    /// <summary>Folders to look for the binaries in, instead of PATH and /usr/lib/postgresql/*/bin.</summary>
    internal IReadOnlyList<string>? BinaryFolders { get; init; }
}
