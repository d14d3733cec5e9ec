using Gantry.Core.Webhooks;

namespace Gantry.Core.Tests.Webhooks;

/// <summary>What every node asks each second costs the same however many deliveries there are.</summary>
public sealed class WebhookPlanTests
{
    [Fact]
    public async Task Deliveries_AreFoundByAnIndex_HoweverManyThereAre()
    {
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync("http://127.0.0.1:9/");
        for (var i = 0; i < 10; i++) await registry.AddAsync("http://127.0.0.1:9/");
        await registry.ScalarAsync<object>(
            """
            INSERT INTO webhook_deliveries (webhook_id, kind, content_type, body, due_at, created_at)
            SELECT w.id, 'push', '', '', CASE WHEN i % 4 = 0 THEN $1 + interval '1 day' END, $1 FROM webhooks w, generate_series(1, 3000) i
            """, registry.Time.GetUtcNow());
        await registry.ScalarAsync<object>("ANALYZE webhook_deliveries, webhooks");
        await registry.PushAsync("acme/app", "v1");

        registry.Pauses.Plans = [];
        await registry.FollowAsync();
        var claims = registry.Get<DeliveryClaims>();
        await claims.FreeAsync([1, 2], default);
        Assert.Equal(11, (await claims.TakeAsync(64, 2, [webhook.Id], default)).Count);
        await registry.Get<WebhookDeliveries>().RemoveOldAsync(TimeSpan.FromDays(30), default);
        Assert.Equal(100, (await registry.Get<WebhookDeliveries>().PageAsync(webhook.Id, null, 100, default)).Count);

        var plans = registry.Pauses.Plans.Where(plan => plan.Contains("webhook_deliveries", StringComparison.Ordinal)).ToList();
        Assert.True(plans.Count >= 6);
        Assert.All(plans, plan => Assert.DoesNotContain("Seq Scan on webhook_deliveries", plan));
    }
}
