using System.Collections.Concurrent;
using Gantry.Core.Data;
using Gantry.Core.Webhooks;
using Gantry.TestKit;

namespace Gantry.Core.Tests.Webhooks;

/// <summary>Deliveries that several nodes could send, and nodes that end on the way.</summary>
public sealed class WebhookClaimTests
{
    private static readonly TimeSpan AMinute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task NodeThatDiesBeforeItsAnswer_LeavesTheDeliveryToAnother()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var registry = await HookRegistry.CreateAsync();
        await using var other = registry.AnotherNode();
        var webhook = await registry.AddAsync(receiver.Url);
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAsync();
        Assert.Single(await registry.Get<DeliveryClaims>().TakeAsync(10, 2, [], default));

        // While its node runs it is nobody else's, however late it is.
        registry.Time.Advance(TimeSpan.FromDays(1));
        await other.SendAsync();
        Assert.Empty(receiver.Received);

        await registry.DieAsync();
        registry.Time.Advance(AMinute);
        await other.SendAsync();
        var delivery = await registry.DeliveryAsync(webhook);
        Assert.Equal((DeliveryState.Delivered, 2), (delivery.State, delivery.Attempts));
        Assert.Equal($"{delivery.MessageId}", Assert.Single(receiver.Received).Id);
    }

    [Fact]
    public async Task AnswerOfANodeThatLostItsClaim_ChangesNothing()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var registry = await HookRegistry.CreateAsync();
        await using var other = registry.AnotherNode();
        var webhook = await registry.AddAsync(receiver.Url);
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAsync();
        var claimed = Assert.Single(await registry.Get<DeliveryClaims>().TakeAsync(10, 2, [], default));
        await registry.DieAsync();
        await other.SendAsync();

        Assert.False(await registry.Get<DeliveryOutcomes>().SettleAsync(claimed, new Tried(500, "late", null), default));
        Assert.Equal((DeliveryState.Delivered, 200), ((await registry.DeliveryAsync(webhook)).State, (await registry.DeliveryAsync(webhook)).Status));
        Assert.Null((await registry.NowAsync(webhook)).FailedSince);
    }

    [Fact]
    public async Task ClaimThatThisNodeForgot_IsDueAgain()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync(receiver.Url);
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAsync();
        Assert.Single(await registry.Get<DeliveryClaims>().TakeAsync(10, 2, [], default));
        await registry.SendAsync();
        Assert.Equal(DeliveryState.Delivered, (await registry.DeliveryAsync(webhook)).State);
    }

    /// <summary>A failover of the database takes the number, and not what is on its way.</summary>
    [Fact]
    public async Task NodeThatComesBackUnderAnotherNumber_LeavesWhatItIsSending()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        TaskCompletionSource first = new(), second = new();
        var answers = new ConcurrentQueue<Task>([first.Task, second.Task]);
        receiver.Answer = (_, _) => answers.TryDequeue(out var answer) ? answer : Task.CompletedTask;
        await using var registry = await HookRegistry.CreateAsync();
        var (presence, sender) = (registry.Get<NodePresence>(), registry.Sender);
        await presence.StartAsync(default);
        var webhook = await registry.AddAsync(receiver.Url);
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAsync();
        Assert.Equal(1, await sender.BeginAsync(default));
        await receiver.NextAsync();
        var number = await presence.NumberAsync(default);
        await registry.DieAsync();
        while (await presence.NumberAsync(default) == number) await Task.Delay(5);

        registry.Time.Advance(AMinute);
        Assert.Equal(0, await sender.BeginAsync(default));

        // Another node takes it for lost. This one may have it again, beside its own first try, and then has only that one left.
        await using var other = registry.AnotherNode();
        await other.Get<DeliveryClaims>().FreeAsync([], default);
        Assert.Equal(1, await sender.BeginAsync(default));
        await receiver.NextAsync();
        first.SetResult();
        await sender.WaitAsync(AMinute, default);
        registry.Time.Advance(AMinute);
        Assert.Equal(0, await sender.BeginAsync(default));

        second.SetResult();
        await sender.DrainAsync();
        await presence.StopAsync(default);
        var delivery = await registry.DeliveryAsync(webhook);
        Assert.Equal((DeliveryState.Delivered, 2, 2), (delivery.State, delivery.Attempts, receiver.Received.Count));
    }

    [Fact]
    public async Task TwoNodes_SendEachDeliveryOnce()
    {
        const int Pushes = 40;
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var registry = await HookRegistry.CreateAsync();
        await using var other = registry.AnotherNode();
        for (var i = 0; i < 4; i++) await registry.AddAsync(receiver.Url);
        for (var i = 0; i < Pushes; i++) await registry.PushAsync("acme/app", $"v{i}");
        await Task.WhenAll(registry.FollowAsync(), other.FollowAsync());
        Assert.Equal(4L * Pushes, await registry.ScalarAsync<long>("SELECT count(*) FROM webhook_deliveries"));

        // A claim that lost every row to the other's is no end.
        while (await registry.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM webhook_deliveries WHERE state = 'waiting')"))
            await Task.WhenAll(registry.SendAsync(), other.SendAsync());
        Assert.Equal(4 * Pushes, receiver.Received.Count);
        Assert.Equal(4 * Pushes, receiver.Received.Select(hook => hook.Id).Distinct().Count());
    }
}
