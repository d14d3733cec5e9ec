using System.Linq.Expressions;
using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Webhooks;

/// <summary>Where a delivery stands.</summary>
public enum DeliveryState
{
    /// <summary>It will be tried (again), or is being tried.</summary>
    Waiting,

    Delivered,

    /// <summary>Tried for as long as the settings say, or its webhook was switched off.</summary>
    GivenUp,
}

/// <summary>One delivery, as the log lists it.</summary>
/// <param name="MessageId">What the receiver knows it by; redeliveries have the same.</param>
/// <param name="Kind">The event's, or <see cref="WebhookKinds.Ping"/>.</param>
/// <param name="EventId">Null: it tells no event, or one that is not kept any more.</param>
/// <param name="Status">Of the last answer; null: there was none.</param>
/// <param name="Error">Why there was none.</param>
/// <param name="Milliseconds">How long the last try took.</param>
/// <param name="DueAt">The next try; null: there is none.</param>
public sealed record Delivery(
    long Id, long WebhookId, Guid MessageId, string Kind, long? EventId, DeliveryState State, int Attempts, int? Status, string? Error,
    int? Milliseconds, DateTimeOffset CreatedAt, DateTimeOffset? TriedAt, DateTimeOffset? DueAt);

/// <param name="Body">What each try sends, to the byte.</param>
/// <param name="Answer">The beginning of the last answer's body.</param>
public sealed record DeliveryContent(Delivery Delivery, string ContentType, string Body, string? Answer);

/// <summary>What was sent to webhooks and what came back, as long as it is kept; and sending again.</summary>
public sealed class WebhookDeliveries(IDbContextFactory<RegistryDbContext> contexts, WebhookSource source, TimeProvider time)
{
    /// <summary>The largest page of a listing.</summary>
    public const int MaxPage = 1000;

    /// <summary>How many are removed at a time.</summary>
    public const int RemovalBatch = 1000;

    /// <summary>How many may wait beside those of events: each is a body in the database, for days where the target is away.</summary>
    public const int MaxByHand = 1000;

    // An expression, so that a listing reads no bodies.
    private static readonly Expression<Func<WebhookDeliveryRow, Delivery>> Head = row => new Delivery(
        row.Id, row.WebhookId, row.MessageId, row.Kind, row.EventId, StateOf(row.State), row.Attempts, row.Status, row.Error, row.Milliseconds,
        row.CreatedAt, row.TriedAt, row.DueAt);

    private static readonly Func<WebhookDeliveryRow, Delivery> HeadOf = Head.Compile();

    /// <summary>Newest first.</summary>
    /// <param name="before">Only those before this id; null: from the newest on.</param>
    public async Task<IReadOnlyList<Delivery>> PageAsync(long webhook, long? before, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var rows = db.WebhookDeliveries.AsNoTracking().Where(row => row.WebhookId == webhook);
        if (before is { } id) rows = rows.Where(row => row.Id < id);
        return await rows.OrderByDescending(row => row.Id).Take(limit).Select(Head).ToListAsync(cancellationToken);
    }

    /// <summary>Null: the webhook has no such delivery.</summary>
    public async Task<DeliveryContent?> FindAsync(long webhook, long id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var row = await db.WebhookDeliveries.AsNoTracking().SingleOrDefaultAsync(row => row.WebhookId == webhook && row.Id == id, cancellationToken);
        return row is null ? null : new DeliveryContent(HeadOf(row), row.ContentType, row.Body, row.Answer);
    }

    /// <summary>Sends something that tells nothing, whether the webhook is active or not.</summary>
    /// <returns>As it waits to be sent; null: the webhook is gone.</returns>
    /// <exception cref="OciException">DENIED (409): too many wait already.</exception>
    public async Task<Delivery?> TestAsync(Webhook webhook, CancellationToken cancellationToken)
    {
        var (message, now, by) = (Guid.NewGuid(), time.GetUtcNow(), await source.NowAsync(cancellationToken));
        var body = DeliveryBodies.Ping(webhook, message, now, by);
        return await InsertAsync(webhook.Id,
            $"""
             INSERT INTO webhook_deliveries (webhook_id, message_id, kind, content_type, body, due_at, created_at)
             SELECT id, {message}, {WebhookKinds.Ping}, {body.ContentType}, {body.Text}, {now}, {now} FROM webhooks WHERE id = {webhook.Id}
             RETURNING *
             """, cancellationToken);
    }

    /// <summary>Sends the same again, under the same message id, in a delivery of its own.</summary>
    /// <returns>As it waits to be sent; null: the webhook has no such delivery.</returns>
    /// <exception cref="OciException">DENIED (409): too many wait already.</exception>
    public Task<Delivery?> RedeliverAsync(long webhook, long id, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return InsertAsync(webhook,
            $"""
             INSERT INTO webhook_deliveries (webhook_id, event_id, message_id, kind, content_type, body, due_at, created_at)
             SELECT webhook_id, event_id, message_id, kind, content_type, body, {now}, {now} FROM webhook_deliveries
             WHERE webhook_id = {webhook} AND id = {id}
             RETURNING *
             """, cancellationToken);
    }

    /// <summary>Removes deliveries that are done with, the oldest first.</summary>
    /// <param name="age">How old they must be.</param>
    /// <returns>How many; less than <see cref="RemovalBatch"/>: for now there are no more.</returns>
    public async Task<int> RemoveOldAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow() - age;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Database.ExecuteSqlAsync(
            $"""
             DELETE FROM webhook_deliveries WHERE id IN (
                 SELECT id FROM webhook_deliveries WHERE created_at < {before} AND due_at IS NULL
                 ORDER BY created_at LIMIT {RemovalBatch} FOR UPDATE SKIP LOCKED)
             """, cancellationToken);
    }

    private Task<Delivery?> InsertAsync(long webhook, FormattableString insert, CancellationToken cancellationToken) => contexts.InTransactionAsync(async db =>
    {
        const int most = WebhookFollower.MaxWaiting + MaxByHand;
        var waiting = await db.Database.SqlQuery<int>(
            $"""
             SELECT count(*)::int AS "Value" FROM (
                 SELECT FROM webhook_deliveries WHERE webhook_id = {webhook} AND node IS NULL AND due_at IS NOT NULL LIMIT {most}) waiting
             """).ToListAsync(cancellationToken);
        if (waiting[0] >= most) throw new OciException(OciErrorCode.Denied, $"{most} deliveries of this webhook wait already", status: 409);
        var rows = await db.WebhookDeliveries.FromSql(insert).AsNoTracking().ToListAsync(cancellationToken);
        return rows.Count == 0 ? null : HeadOf(rows[0]);
    }, cancellationToken);

    private static DeliveryState StateOf(string word) => word switch
    {
        "waiting" => DeliveryState.Waiting,
        "delivered" => DeliveryState.Delivered,
        _ => DeliveryState.GivenUp,
    };
}
