using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Gantry.Core.Webhooks;
using Gantry.TestKit;
using Microsoft.AspNetCore.Http;

namespace Gantry.Core.Tests.Webhooks;

/// <summary>Targets that answer in ways of their own, or not at all, and the ways to them.</summary>
public sealed class WebhookTargetTests
{
    private static readonly TimeSpan AMinute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task RefusedConnection_IsTriedAgain()
    {
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync($"http://127.0.0.1:{port}/");
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAndSendAsync();
        var failed = await registry.DeliveryAsync(webhook);
        Assert.Equal((DeliveryState.Waiting, null, "no connection: ConnectionRefused"), (failed.State, failed.Status, failed.Error));

        await using var receiver = await WebhookReceiver.StartAsync(port);
        registry.Time.Advance(AMinute);
        await registry.SendAsync();
        Assert.Equal($"{failed.MessageId}", (await receiver.NextAsync()).Id);
        Assert.Equal(DeliveryState.Delivered, (await registry.DeliveryAsync(webhook)).State);
    }

    [Fact]
    public async Task Redirect_IsNotFollowed()
    {
        await using var elsewhere = await WebhookReceiver.StartAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = (http, _) =>
        {
            (http.Response.StatusCode, http.Response.Headers.Location) = (307, elsewhere.Url);
            return Task.CompletedTask;
        };
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync(receiver.Url);
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAndSendAsync();

        var delivery = await registry.DeliveryAsync(webhook);
        Assert.Equal((DeliveryState.Waiting, 307), (delivery.State, delivery.Status));
        Assert.Single(receiver.Received);
        Assert.Empty(elsewhere.Received);
    }

    [Fact]
    public async Task AnswerThatIsLongAndBinary_IsKeptForItsFirstFourKilobytes()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = (http, _) => http.Response.Body.WriteAsync(Enumerable.Repeat(new byte[] { 0, (byte)'a' }, 500_000).SelectMany(pair => pair).ToArray()).AsTask();
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync(receiver.Url);
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAndSendAsync();
        var delivery = await registry.DeliveryAsync(webhook);
        Assert.Equal(DeliveryState.Delivered, delivery.State);
        var answer = (await registry.Get<WebhookDeliveries>().FindAsync(webhook.Id, delivery.Id, default))!.Answer!;
        Assert.Equal(string.Concat(Enumerable.Repeat("\uFFFDa", WebhookHttp.MaxAnswerBytes / 2)), answer);
    }

    [Fact]
    public async Task TargetThatDoesNotAnswer_IsLeftAfterTheTimeout_AndOneWhoseBodyNeverEndsHasAnswered()
    {
        await using var silent = await WebhookReceiver.StartAsync();
        await using var endless = await WebhookReceiver.StartAsync();
        silent.Answer = (http, _) => Task.Delay(Timeout.Infinite, http.RequestAborted);
        endless.Answer = async (http, _) =>
        {
            await http.Response.WriteAsync("half a ");
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        };
        await using var registry = await HookRegistry.CreateAsync("Webhooks:Timeout=00:00:01");
        var (one, two) = (await registry.AddAsync(silent.Url), await registry.AddAsync(endless.Url));
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAndSendAsync();

        var unanswered = await registry.DeliveryAsync(one);
        Assert.Equal((DeliveryState.Waiting, null, "no answer within 1 s"), (unanswered.State, unanswered.Status, unanswered.Error));
        var answered = await registry.DeliveryAsync(two);
        Assert.Equal((DeliveryState.Delivered, 200), (answered.State, answered.Status));
        Assert.Equal("half a ", (await registry.Get<WebhookDeliveries>().FindAsync(two.Id, answered.Id, default))!.Answer);
    }

    [Fact]
    public async Task RetryAfter_PutsTheNextTryOff()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = (http, _) =>
        {
            (http.Response.StatusCode, http.Response.Headers.RetryAfter) = (429, "1800");
            return Task.CompletedTask;
        };
        await using var registry = await HookRegistry.CreateAsync();
        var webhook = await registry.AddAsync(receiver.Url);
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAndSendAsync();
        Assert.Equal(registry.Time.GetUtcNow().AddMinutes(30), (await registry.DeliveryAsync(webhook)).DueAt);
    }

    [Fact]
    public async Task TargetWithACertificate_HasToBeVouchedFor()
    {
        var folder = Directory.CreateTempSubdirectory("gantry-hooks-");
        try
        {
            var authority = new TestAuthority(folder.FullName, "company");
            var (file, key) = authority.Issue("receiver");
            using var pem = X509Certificate2.CreateFromPemFile(file, key);
            using var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
            await using var receiver = await WebhookReceiver.StartAsync(certificate: certificate);
            await using var registry = await HookRegistry.CreateAsync();
            await using var trusting = registry.AnotherNode($"Webhooks:CaFile={authority.File}", "Webhooks:AllowedNetworks:0=127.0.0.0/8");
            var webhook = await registry.AddAsync(receiver.Url);
            await registry.PushAsync("acme/app", "v1");
            await registry.FollowAndSendAsync();
            Assert.StartsWith("no TLS connection: ", (await registry.DeliveryAsync(webhook)).Error);
            Assert.Empty(receiver.Received);

            registry.Time.Advance(AMinute);
            await trusting.SendAsync();
            Assert.Equal(DeliveryState.Delivered, (await registry.DeliveryAsync(webhook)).State);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Proxy_OfTheSettings_GetsTheRequest_WhereverItIs()
    {
        await using var proxy = await WebhookReceiver.StartAsync();
        await using var registry = await HookRegistry.CreateAsync($"Webhooks:Proxy={proxy.Address}", "Webhooks:AllowedNetworks:0=192.0.2.0/24");
        var webhook = await registry.AddAsync("http://hooks.example/path");
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAndSendAsync();
        Assert.Equal(DeliveryState.Delivered, (await registry.DeliveryAsync(webhook)).State);
        var hook = Assert.Single(proxy.Received);
        Assert.Equal(("hooks.example", "/path"), (hook.Headers["Host"], hook.Path));
    }
}
