using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Webhooks;

/// <summary>Deliveries on their way into the table, in the caller's transaction.</summary>
internal sealed class DeliveryBatch(RegistryDbContext db, DateTimeOffset now)
{
    /// <summary>Written when there are so many; bounds the memory, whatever happened to how many webhooks.</summary>
    private const int MaxRows = 500, MaxCharacters = 2 * 1024 * 1024;

    private readonly List<(long Webhook, long Event, string Kind, DeliveryBody Body)> _rows = [];
    private long _characters;

    public async Task AddAsync(long webhook, EventRow happened, DeliveryBody body, CancellationToken cancellationToken)
    {
        _rows.Add((webhook, happened.Id, happened.Kind, body));
        _characters += body.Text.Length;
        if (_rows.Count >= MaxRows || _characters >= MaxCharacters) await FlushAsync(cancellationToken);
    }

    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_rows.Count == 0) return;
        var (webhooks, events) = (_rows.ConvertAll(row => row.Webhook), _rows.ConvertAll(row => row.Event));
        var (kinds, types, bodies) = (_rows.ConvertAll(row => row.Kind), _rows.ConvertAll(row => row.Body.ContentType), _rows.ConvertAll(row => row.Body.Text));
        // A webhook that was deleted meanwhile breaks its foreign key: the batch of events is followed again without it.
        await db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO webhook_deliveries (webhook_id, event_id, kind, content_type, body, due_at, created_at)
             SELECT webhook, event, kind, content_type, body, {now}, {now}
             FROM unnest({webhooks}, {events}, {kinds}, {types}, {bodies}) AS d (webhook, event, kind, content_type, body)
             """, cancellationToken);
        _rows.Clear();
        _characters = 0;
    }
}
