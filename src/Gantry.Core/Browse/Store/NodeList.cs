using System.Runtime.CompilerServices;
using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

public enum NodeHealth
{
    /// <summary>It runs, and says so.</summary>
    Running,

    /// <summary>Its connection is open, and it has not said anything for a while: it is overloaded, paused or cut off.</summary>
    Silent,

    /// <summary>It ended without a word, or lost its connection and goes on under another number.</summary>
    Gone,
}

/// <summary>A server process.</summary>
/// <param name="Name">Of its machine.</param>
/// <param name="SeenAt">When it last said that it runs.</param>
public sealed record NodeInfo(int Number, string Name, string Version, DateTimeOffset StartedAt, DateTimeOffset SeenAt, NodeHealth Health);

/// <summary>The server processes of this database, as they say themselves and as their advisory locks say (<see cref="NodePresence"/>).</summary>
public sealed class NodeList(IDbContextFactory<RegistryDbContext> contexts, NodePresence presence, TimeProvider time)
{
    /// <summary>How often a node says that it runs.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(30), ForgottenAfter = TimeSpan.FromHours(1);

    /// <summary>Nodes are few; whatever left rows behind, no more are read.</summary>
    private const int Most = 1000;

    private static readonly string All =
        $$"""
          SELECT number AS "Number", name AS "Name", version AS "Version", started_at AS "StartedAt", seen_at AS "SeenAt",
                 {{NodePresence.IsRunning("number")}} AS "HasLock", seen_at < now() - {0} AS "IsSilent"
          FROM nodes ORDER BY number LIMIT {1}
          """;

    private static readonly string Forget = $"DELETE FROM nodes WHERE seen_at < now() - {{0}} AND NOT {NodePresence.IsRunning("number")}";

    private readonly long _start = time.GetTimestamp();
    private int? _number;

    /// <summary>Says that this process runs, and removes who has been gone for long.</summary>
    public async Task BeatAsync(CancellationToken cancellationToken)
    {
        var (number, name) = (await presence.NumberAsync(cancellationToken), Environment.MachineName);
        var (version, age) = (typeof(NodeList).Assembly.GetName().Version!.ToString(3), time.GetElapsedTime(_start));
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO nodes (number, name, version, started_at) VALUES ({number}, {name}, {version}, now() - {age})
             ON CONFLICT (number) DO UPDATE SET name = excluded.name, version = excluded.version, seen_at = now(),
                 started_at = CASE WHEN {number != _number} THEN excluded.started_at ELSE nodes.started_at END
             """, cancellationToken);
        // Under another number than the last time: the connection was lost.
        if (_number is { } before && before != number) await RemoveAsync(db, before, cancellationToken);
        _number = number;
        await db.Database.ExecuteSqlAsync(FormattableStringFactory.Create(Forget, ForgottenAfter), cancellationToken);
    }

    /// <summary>A process that ends as it should leaves no row.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        if (_number is not { } number) return;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await RemoveAsync(db, number, cancellationToken);
    }

    /// <summary>By number.</summary>
    public async Task<IReadOnlyList<NodeInfo>> ListAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = await db.Database.SqlQuery<Row>(FormattableStringFactory.Create(All, SilentAfter, Most)).ToListAsync(cancellationToken);
        return rows.ConvertAll(row => new NodeInfo(row.Number, row.Name, row.Version, row.StartedAt, row.SeenAt,
            !row.HasLock ? NodeHealth.Gone : row.IsSilent ? NodeHealth.Silent : NodeHealth.Running));
    }

    private static Task RemoveAsync(RegistryDbContext db, int number, CancellationToken cancellationToken) =>
        db.Nodes.Where(row => row.Number == number).ExecuteDeleteAsync(cancellationToken);

    private sealed record Row(int Number, string Name, string Version, DateTimeOffset StartedAt, DateTimeOffset SeenAt, bool HasLock, bool IsSilent);
}
