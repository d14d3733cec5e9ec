using Gantry.Core.Events;
using Gantry.Core.Webhooks;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Core.Tests.Webhooks;

/// <summary>Deliveries to a real receiver: what arrives, what is tried again and when.</summary>
public sealed class WebhookSenderTests
{
    private static readonly TimeSpan AMinute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Push_IsToldToTheWebhook_AndTheAnswerIsKept()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(202, "thank you");
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync(receiver.Url);
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAndSendAsync();

        var hook = await receiver.NextAsync();
        Assert.Equal(("/hook", "application/cloudevents+json"), (hook.Path, hook.ContentType));
        var delivery = await registry.DeliveryAsync(webhook);
        Assert.Equal((DeliveryState.Delivered, 1, 202, null, null), (delivery.State, delivery.Attempts, delivery.Status, delivery.Error, delivery.DueAt));
        Assert.Equal($"{delivery.MessageId}", hook.Id);
        var content = (await registry.Get<WebhookDeliveries>().FindAsync(webhook.Id, delivery.Id, default))!;
        Assert.Equal((hook.Text, "thank you"), (content.Body, content.Answer));
    }

    [Fact]
    public async Task Answer500_IsTriedAgain_WithTheSameBytesAndIdAndASignatureOfThen()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(500, "out of order");
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync(receiver.Url);
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAndSendAsync();
        var failed = await registry.DeliveryAsync(webhook);
        Assert.Equal((DeliveryState.Waiting, 500), (failed.State, failed.Status));

        await registry.SendAsync();
        Assert.Single(receiver.Received);
        receiver.AnswerWith(200);
        registry.Time.Advance(AMinute);
        await registry.SendAsync();

        var (first, second) = (await receiver.NextAsync(), await receiver.NextAsync());
        Assert.Equal((first.Id, first.Text), (second.Id, second.Text));
        Assert.Equal(60, long.Parse(second.Headers["webhook-timestamp"]) - long.Parse(first.Headers["webhook-timestamp"]));
        Assert.NotEqual(first.Headers["webhook-signature"], second.Headers["webhook-signature"]);
        var delivery = await registry.DeliveryAsync(webhook);
        Assert.Equal((DeliveryState.Delivered, 2, 200), (delivery.State, delivery.Attempts, delivery.Status));
    }

    [Fact]
    public async Task TargetThatNeverWorks_IsGivenUpAfterThreeDays()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(503);
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync(receiver.Url);
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAsync();
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromDays(2); passed += TimeSpan.FromHours(5))
        {
            await registry.SendAsync();
            Assert.Equal(DeliveryState.Waiting, (await registry.DeliveryAsync(webhook)).State);
            registry.Time.Advance(TimeSpan.FromHours(5));
        }

        registry.Time.Advance(TimeSpan.FromHours(24));
        await registry.SendAsync();
        var delivery = await registry.DeliveryAsync(webhook);
        Assert.Equal((DeliveryState.GivenUp, null, 503), (delivery.State, delivery.DueAt, delivery.Status));
        Assert.Equal(delivery.Attempts, receiver.Received.Count);
    }

    [Fact]
    public async Task WebhookThatFailsForLong_IsShownAsFailing_AndTwoEventsTellItAndItsEnd()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(500);
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync(receiver.Url);
        var since = registry.Time.GetUtcNow();
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAndSendAsync();
        Assert.Equal((since, false), ((await registry.NowAsync(webhook)).FailedSince, (await registry.NowAsync(webhook)).Failing));

        for (var i = 0; i < 3; i++)
        {
            registry.Time.Advance(TimeSpan.FromHours(2));
            await registry.SendAsync();
            Assert.Equal((since, true), ((await registry.NowAsync(webhook)).FailedSince, (await registry.NowAsync(webhook)).Failing));
        }

        var told = Assert.Single(await registry.EventsAsync(EventKinds.WebhookFailing));
        Assert.Equal(("a hook", $"webhook {webhook.Id}: it answers 500"), (told.Subject, told.Detail));

        receiver.AnswerWith(200);
        registry.Time.Advance(TimeSpan.FromHours(2));
        await registry.SendAsync();
        Assert.Equal((null, false), ((await registry.NowAsync(webhook)).FailedSince, (await registry.NowAsync(webhook)).Failing));
        Assert.Single(await registry.EventsAsync(EventKinds.WebhookWorking));
    }

    [Fact]
    public async Task SlowTarget_GetsTwoAtATime_AndHoldsUpNoOther()
    {
        await using var slow = await WebhookReceiver.StartAsync();
        await using var quick = await WebhookReceiver.StartAsync();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        slow.Answer = (_, _) => release.Task;
        await using var registry = await HookRegistry.CreateAsync();
        var held = await registry.AddAsync(slow.Url);
        await registry.AddAsync(quick.Url);
        for (var i = 0; i < 10; i++) await registry.PushAsync("acme/app", $"v{i}");
        await registry.FollowAsync();

        // The slow ones never end here: what has room goes on without them.
        var arrived = new HashSet<string>();
        while (arrived.Count < 10)
        {
            await registry.Sender.BeginAsync(default);
            arrived.Add((await quick.NextAsync()).Id);
            await registry.Sender.WaitAsync(TimeSpan.FromSeconds(1), default);
        }

        await registry.Sender.BeginAsync(default);
        Assert.Equal(2, slow.Received.Count);
        Assert.Equal(2L, await registry.ScalarAsync<long>("SELECT count(*) FROM webhook_deliveries WHERE webhook_id = $1 AND node IS NOT NULL", held.Id));

        release.SetResult();
        await registry.Sender.DrainAsync();
        await registry.SendAsync();
        Assert.Equal(10, slow.Received.Select(hook => hook.Id).Distinct().Count());
    }

    [Fact]
    public async Task TestAndRedelivery_WhereTooManyWait_AreRefused()
    {
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync("https://hooks.example/");
        var deliveries = registry.Get<WebhookDeliveries>();
        await registry.ScalarAsync<object>(
            "INSERT INTO webhook_deliveries (webhook_id, kind, content_type, body) SELECT $1, 'push', '', '' FROM generate_series(1, $2)",
            webhook.Id, WebhookFollower.MaxWaiting + WebhookDeliveries.MaxByHand - 1);
        var last = await deliveries.TestAsync(webhook, default);
        Assert.Equal(409, (await Assert.ThrowsAsync<OciException>(() => deliveries.TestAsync(webhook, default))).Status);
        Assert.Equal(409, (await Assert.ThrowsAsync<OciException>(() => deliveries.RedeliverAsync(webhook.Id, last!.Id, default))).Status);
    }

    [Fact]
    public async Task Redelivery_HasTheSameIdAndBytes_AndARowOfItsOwn()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync(receiver.Url);
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAndSendAsync();
        var first = await registry.DeliveryAsync(webhook);
        var again = (await registry.Get<WebhookDeliveries>().RedeliverAsync(webhook.Id, first.Id, default))!;
        Assert.Equal((first.MessageId, first.EventId, DeliveryState.Waiting), (again.MessageId, again.EventId, again.State));
        Assert.NotEqual(first.Id, again.Id);

        await registry.SendAsync();
        var (one, two) = (await receiver.NextAsync(), await receiver.NextAsync());
        Assert.Equal((one.Id, one.Text), (two.Id, two.Text));
        Assert.All(await registry.DeliveriesAsync(webhook), delivery => Assert.Equal(DeliveryState.Delivered, delivery.State));
        Assert.Null(await registry.Get<WebhookDeliveries>().RedeliverAsync(webhook.Id + 1, first.Id, default));
    }

    [Fact]
    public async Task InactiveWebhook_GetsNothingButTests_AndWhatWaitedIsGivenUp()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync(receiver.Url);
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAsync();
        webhook = (await registry.Get<WebhookList>().ChangeAsync(webhook.Id, new WebhookChanges { Active = false }, null, HookRegistry.Jane, default))!;
        await registry.PushAsync("acme/app", "v2");
        await registry.FollowAndSendAsync();
        var dropped = await registry.DeliveryAsync(webhook);
        Assert.Equal((DeliveryState.GivenUp, "the webhook is not active"), (dropped.State, dropped.Error));
        Assert.Null((await registry.NowAsync(webhook)).FailedSince);
        Assert.Empty(receiver.Received);

        var ping = (await registry.Get<WebhookDeliveries>().TestAsync(webhook, default))!;
        await registry.SendAsync();
        Assert.Equal($"{ping.MessageId}", Assert.Single(receiver.Received).Id);
        Assert.Equal("gantry.ping", receiver.Received[0].Json.GetProperty("type").GetString());
    }
}
