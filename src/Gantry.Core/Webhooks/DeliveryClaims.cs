using System.Runtime.CompilerServices;
using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Webhooks;

/// <summary>A delivery that this node, and no other, may send now; and its webhook as it is now.</summary>
internal sealed record Claimed(WebhookDeliveryRow Delivery, WebhookRow Webhook);

/// <summary>
/// Who sends what. A claim is a node's number in the row, without a time: it ends with the answer, or with the node. So nothing is sent
/// twice at once however slow the target or wrong the clocks, and what a dead node had is due again once its lock is gone.
/// </summary>
internal sealed class DeliveryClaims(IDbContextFactory<RegistryDbContext> contexts, NodePresence presence, TimeProvider time)
{
    private static readonly string FreeOfTheGone =
        $$"""
          WITH gone AS MATERIALIZED (
              SELECT number FROM (SELECT DISTINCT node AS number FROM webhook_deliveries WHERE node IS NOT NULL) claiming
              WHERE NOT {{NodePresence.IsRunning("number")}})
          UPDATE webhook_deliveries SET node = NULL WHERE id IN (
              SELECT id FROM webhook_deliveries
              WHERE node IS NOT NULL AND (node IN (SELECT number FROM gone) OR node = {0}) AND id <> ALL ({1}) FOR UPDATE SKIP LOCKED)
          """;

    /// <summary>Up to <paramref name="most"/> that are due, and of one webhook no more than leaves it <paramref name="perWebhook"/> under way.</summary>
    /// <param name="underWay">The webhook of each delivery that this node is sending, once for each.</param>
    public async Task<IReadOnlyList<Claimed>> TakeAsync(int most, int perWebhook, long[] underWay, CancellationToken cancellationToken)
    {
        var (node, now) = (await presence.NumberAsync(cancellationToken), time.GetUtcNow());
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        // From webhook to webhook by the index, whatever waits for each; those that have something due take turns by chance, so that
        // many slow targets do not keep the others from their turn.
        var rows = await db.WebhookDeliveries.FromSql(
            $"""
             WITH RECURSIVE waiting AS (
                 (SELECT webhook_id FROM webhook_deliveries WHERE node IS NULL AND due_at IS NOT NULL ORDER BY webhook_id LIMIT 1)
                 UNION ALL
                 SELECT (SELECT d.webhook_id FROM webhook_deliveries d
                         WHERE d.node IS NULL AND d.due_at IS NOT NULL AND d.webhook_id > w.webhook_id ORDER BY d.webhook_id LIMIT 1)
                 FROM waiting w WHERE w.webhook_id IS NOT NULL),
             turns AS MATERIALIZED (
                 SELECT w.webhook_id, {perWebhook} - (SELECT count(*) FROM unnest({underWay}) busy WHERE busy = w.webhook_id) AS room
                 FROM waiting w
                 WHERE (SELECT count(*) FROM unnest({underWay}) busy WHERE busy = w.webhook_id) < {perWebhook}
                     AND (SELECT d.due_at FROM webhook_deliveries d WHERE d.webhook_id = w.webhook_id AND d.node IS NULL AND d.due_at IS NOT NULL
                          ORDER BY d.due_at LIMIT 1) <= {now}
                 ORDER BY random() LIMIT {most}),
             taken AS MATERIALIZED (
                 SELECT one.id FROM turns CROSS JOIN LATERAL (
                     SELECT d.id FROM webhook_deliveries d WHERE d.webhook_id = turns.webhook_id AND d.node IS NULL AND d.due_at <= {now}
                     ORDER BY d.due_at, d.id LIMIT turns.room FOR UPDATE SKIP LOCKED) one
                 LIMIT {most})
             UPDATE webhook_deliveries d SET node = {node}, attempts = d.attempts + 1, tried_at = {now}
             FROM taken WHERE d.id = taken.id
             RETURNING d.*
             """).AsNoTracking().ToListAsync(cancellationToken);
        if (rows.Count == 0) return [];

        // Of a later moment than the claim: a webhook that was changed meanwhile counts as it is now.
        var ids = rows.Select(row => row.WebhookId).Distinct().ToArray();
        var webhooks = await db.Webhooks.AsNoTracking().Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, cancellationToken);
        return [.. rows.Where(row => webhooks.ContainsKey(row.WebhookId)).Select(row => new Claimed(row, webhooks[row.WebhookId]))];
    }

    /// <summary>Lets go of what nodes had that are gone, and of what this one had and forgot: the database was away when it came to an end.</summary>
    /// <param name="sending">What this node is sending, under its number or under one that it had before.</param>
    public async Task FreeAsync(long[] sending, CancellationToken cancellationToken)
    {
        var node = await presence.NumberAsync(cancellationToken);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db.Database.ExecuteSqlAsync(FormattableStringFactory.Create(FreeOfTheGone, node, sending), cancellationToken);
    }
}
