using Gantry.Core.Webhooks;

namespace Gantry.Core.Tests.Webhooks;

public sealed class DeliveryRetentionTests
{
    [Fact]
    public async Task OldDeliveries_AreRemovedABatchAtATime_ThoseThatWaitAreNot()
    {
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync("http://127.0.0.1:9/");
        var now = registry.Time.GetUtcNow();
        foreach (var (days, done, count) in new[] { (31, true, 1500), (31, false, 3), (29, true, 7) })
        {
            await registry.ScalarAsync<object>(
                "INSERT INTO webhook_deliveries (webhook_id, kind, content_type, body, created_at, due_at) SELECT $1, 'push', '', '', $2, $3 FROM generate_series(1, $4)",
                webhook.Id, now.AddDays(-days), done ? DBNull.Value : now, count);
        }

        var deliveries = registry.Get<WebhookDeliveries>();
        Assert.Equal(1000, await deliveries.RemoveOldAsync(TimeSpan.FromDays(30), default));
        Assert.Equal(500, await deliveries.RemoveOldAsync(TimeSpan.FromDays(30), default));
        Assert.Equal(0, await deliveries.RemoveOldAsync(TimeSpan.FromDays(30), default));
        Assert.Equal(10, (await registry.DeliveriesAsync(webhook)).Count);
    }
}
