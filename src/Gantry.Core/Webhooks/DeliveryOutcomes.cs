using Gantry.Core.Data;
using Gantry.Core.Events;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Webhooks;

/// <summary>Writes down what a try came to, and with it whether its webhook works.</summary>
internal sealed class DeliveryOutcomes(
    IDbContextFactory<RegistryDbContext> contexts, RetryTimes retries, IOptions<WebhookOptions> options, TimeProvider time)
{
    private static readonly Actor Self = new(null, null, null, "gantry-server webhooks");

    /// <summary>False: this node's claim was over, and somebody else has the delivery.</summary>
    public Task<bool> SettleAsync(Claimed claimed, Tried tried, CancellationToken cancellationToken) => contexts.InTransactionAsync(async db =>
    {
        var (delivery, webhook, now) = (claimed.Delivery, claimed.Webhook, time.GetUtcNow());
        var next = tried.Succeeded || tried.IsDropped
            ? null : retries.Next(now, delivery.CreatedAt, delivery.Attempts, tried.RetryAfter, Random.Shared.NextDouble());
        var state = tried.Succeeded ? "delivered" : next is null ? "given_up" : "waiting";
        var settled = await db.Database.ExecuteSqlAsync(
            $"""
             UPDATE webhook_deliveries SET node = NULL, due_at = {next}, state = {state}, status = {tried.Status}, answer = {tried.Answer},
                 error = {tried.Error}, milliseconds = {tried.Milliseconds}
             WHERE id = {delivery.Id} AND node = {delivery.Node}
             """, cancellationToken);
        if (settled == 0) return false;
        if (tried.Succeeded) await RecordSuccessAsync(db, webhook, cancellationToken);
        else if (!tried.IsDropped) await RecordFailureAsync(db, webhook, tried, now, cancellationToken);
        return true;
    }, cancellationToken);

    // Most deliveries succeed, to webhooks that work: those write nothing here.
    private static async Task RecordSuccessAsync(RegistryDbContext db, WebhookRow webhook, CancellationToken cancellationToken)
    {
        if (webhook.FailedSince is null) return;
        var mended = await db.Webhooks.Where(row => row.Id == webhook.Id && row.Failing)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.Failing, false), cancellationToken);
        await db.Webhooks.Where(row => row.Id == webhook.Id)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.FailedSince, (DateTimeOffset?)null), cancellationToken);
        if (mended > 0) await TellAsync(db, EventKinds.WebhookWorking, webhook, "a delivery succeeded", cancellationToken);
    }

    private async Task RecordFailureAsync(RegistryDbContext db, WebhookRow webhook, Tried tried, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var first = await db.Webhooks.Where(row => row.Id == webhook.Id && row.FailedSince == null)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.FailedSince, now), cancellationToken);
        if (first > 0) return;
        var longAgo = now - options.Value.FailingAfter;
        var told = await db.Webhooks.Where(row => row.Id == webhook.Id && !row.Failing && row.FailedSince <= longAgo)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.Failing, true), cancellationToken);
        if (told > 0) await TellAsync(db, EventKinds.WebhookFailing, webhook, tried.Error ?? $"it answers {tried.Status}", cancellationToken);
    }

    private static async Task TellAsync(RegistryDbContext db, string kind, WebhookRow webhook, string why, CancellationToken cancellationToken)
    {
        var home = await db.Namespaces.Where(row => row.Id == webhook.NamespaceId).Select(row => row.Name).SingleOrDefaultAsync(cancellationToken);
        await db.AppendEventAsync(new Event(kind) { Namespace = home, Subject = webhook.Name, Detail = $"webhook {webhook.Id}: {why}" }, Self, cancellationToken);
    }
}
