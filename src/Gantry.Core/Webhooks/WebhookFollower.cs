using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Gantry.Core.Webhooks;

/// <summary>Makes deliveries of events: one for each webhook that wants it, with the body as it will be sent.</summary>
public sealed partial class WebhookFollower(WebhookSource source, TimeProvider time, ILogger<WebhookFollower> logger) : IEventFollower
{
    /// <summary>
    /// How many deliveries of one webhook may wait. A target that is dead for days, or slower than what happens, must not fill the
    /// database; the events themselves are kept.
    /// </summary>
    public const int MaxWaiting = 10_000;

    public async Task FollowAsync(RegistryDbContext db, IReadOnlyList<EventRow> events, CancellationToken cancellationToken)
    {
        var content = events.Where(row => WebhookKinds.All.Contains(row.Kind)).ToList();
        if (content.Count == 0) return;
        var subscribers = await ReadSubscribersAsync(db, content, cancellationToken);
        foreach (var full in subscribers.Where(one => one.IsFull)) LogFull(logger, full.Id, MaxWaiting);
        subscribers.RemoveAll(one => one.IsFull);
        if (subscribers.Count == 0) return;

        var facts = await ReadFactsAsync(db, content, cancellationToken);
        var by = await source.NowAsync(cancellationToken);
        var batch = new DeliveryBatch(db, time.GetUtcNow());
        foreach (var row in content)
        {
            var wanting = subscribers.FindAll(one => one.Wants(row));
            var told = new ToldEvent(row, facts.GetValueOrDefault(row.Id)?.MediaType, facts.GetValueOrDefault(row.Id)?.Size);
            foreach (var group in wanting.GroupBy(one => one.Format))
            {
                foreach (var body in DeliveryBodies.Of(told, group.Key, by))
                    foreach (var one in group) await batch.AddAsync(one.Id, row, body, cancellationToken);
            }
        }

        await batch.FlushAsync(cancellationToken);
    }

    private static async Task<List<Subscriber>> ReadSubscribersAsync(
        RegistryDbContext db, List<EventRow> events, CancellationToken cancellationToken)
    {
        var (names, kinds) = (events.Select(row => row.Namespace).OfType<string>().Distinct().ToArray(), events.Select(row => row.Kind).Distinct().ToArray());
        var rows = await db.Database.SqlQuery<SubscriberRow>(
            $"""
             SELECT w.id AS "Id", n.name AS "Namespace", w.format AS "Format", w.kinds AS "Kinds", w.repositories AS "Repositories",
                    (SELECT count(*) FROM (SELECT FROM webhook_deliveries d
                        WHERE d.webhook_id = w.id AND d.node IS NULL AND d.due_at IS NOT NULL LIMIT {MaxWaiting}) waiting) AS "Waiting"
             FROM webhooks w LEFT JOIN namespaces n ON n.id = w.namespace_id
             WHERE w.active AND (w.namespace_id IS NULL OR n.name = ANY ({names})) AND w.kinds && {kinds}
             """).ToListAsync(cancellationToken);
        return rows.ConvertAll(row => new Subscriber(row));
    }

    // A manifest that was hidden is still there; one that was removed since has no facts any more.
    private static async Task<Dictionary<long, FactsRow>> ReadFactsAsync(
        RegistryDbContext db, List<EventRow> events, CancellationToken cancellationToken)
    {
        var about = events.Where(row => row is { Repository: not null, Digest: not null } && !row.Kind.StartsWith("blob.", StringComparison.Ordinal)).ToList();
        var (ids, repositories, digests) = (
            about.Select(row => row.Id).ToArray(), about.Select(row => row.Repository!).ToArray(), about.Select(row => row.Digest!).ToArray());
        var rows = await db.Database.SqlQuery<FactsRow>(
            $"""
             SELECT e.id AS "Id", m.media_type AS "MediaType", octet_length(m.payload)::bigint AS "Size"
             FROM unnest({ids}, {repositories}, {digests}) AS e (id, repository, digest)
             JOIN repositories r ON r.name = e.repository
             JOIN manifests m ON m.repository_id = r.id AND m.digest = e.digest
             """).ToListAsync(cancellationToken);
        return rows.ToDictionary(row => row.Id);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhook {Webhook} has {Waiting} deliveries waiting; what happens now is not told to it")]
    private static partial void LogFull(ILogger logger, long webhook, int waiting);

    private sealed record SubscriberRow(long Id, string? Namespace, string Format, string[] Kinds, string Repositories, long Waiting);

    private sealed record FactsRow(long Id, string MediaType, long Size);

    private sealed class Subscriber(SubscriberRow row)
    {
        private readonly RepositoryPattern _pattern = RepositoryPattern.TryParse(row.Repositories, out var pattern) ? pattern : WebhookKinds.AnyRepository;

        public long Id => row.Id;

        public WebhookFormat Format { get; } = WebhookRows.FormatOf(row.Format);

        public bool IsFull => row.Waiting >= MaxWaiting;

        public bool Wants(EventRow happened) =>
            row.Kinds.Contains(happened.Kind) && (row.Namespace is null || row.Namespace == happened.Namespace)
            && (RepositoryName.TryParse(happened.Repository, out var repository) ? _pattern.Matches(repository) : _pattern == WebhookKinds.AnyRepository);
    }
}
