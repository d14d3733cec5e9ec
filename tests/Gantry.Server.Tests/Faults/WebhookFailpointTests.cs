using System.Net.Http.Json;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Faults;

/// <summary>The process that sends a delivery ends before the target has it, or before its answer is written down.</summary>
[Collection(nameof(ProcessFaults))]
[Trait("Speed", "Slow")]
public sealed class WebhookFailpointTests
{
    [Theory]
    [InlineData("webhook-claimed", 0)]
    [InlineData("webhook-answered", 1)]
    public async Task Delivery_WhoseSenderDies_IsSentByTheNext_UnderTheSameId(string failpoint, int arrived)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var registry = new RestartableRegistry
        {
            Settings = ["Access:Anonymous=Full", "Access:AdminPassword=test-password", "Webhooks:AllowedNetworks:0=127.0.0.1"],
        };
        await registry.StartAsync(null, "Webhooks:Enabled=false");
        using (var create = new HttpRequestMessage(HttpMethod.Post, "/api/v1/webhooks") { Content = JsonContent.Create(new { name = "x", url = receiver.Url }) })
        {
            create.Headers.Authorization = RegistryServer.Basic("admin", "test-password");
            using var made = await registry.Client.SendAsync(create);
            Assert.Equal(201, (int)made.StatusCode);
        }

        await registry.Client.PushImageAsync("faults/hooks", "v1", "layer"u8.ToArray());
        await registry.Server.KillAsync();

        // It happens at the start, perhaps before anything can be asked.
        Assert.Equal(128 + ServerProcess.SigKill, await registry.Launch(failpoint).WaitForExitAsync());
        Assert.Equal(arrived, receiver.Received.Count);

        await registry.StartAsync();
        await UploadSteps.UntilAsync(async () => (await registry.QueryAsync("SELECT state FROM webhook_deliveries", row => row.GetString(0)))[0] == "delivered", "the delivery");
        Assert.Equal(arrived + 1, receiver.Received.Count);
        Assert.Single(receiver.Received.Select(hook => (hook.Id, hook.Text)).Distinct());
    }
}
