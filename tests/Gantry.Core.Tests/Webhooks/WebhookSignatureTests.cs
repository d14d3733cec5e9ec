using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Gantry.Core.Webhooks;
using Gantry.TestKit;

namespace Gantry.Core.Tests.Webhooks;

/// <summary>The signature as a receiver checks it, and the places where secrets must not turn up.</summary>
public sealed class WebhookSignatureTests
{
    [Fact]
    public void Signature_IsThatOfTheSpecificationsExample()
    {
        // "Standard Webhooks", symmetric signatures.
        Assert.True(WebhookSecret.TryParse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", out var secret));
        var message = Guid.Parse("6ae5a1f0-1c56-4a14-8d0e-0c1d2c9d3b11");
        var signature = WebhookSignature.Of(secret, message, DateTimeOffset.FromUnixTimeSeconds(1614265330), "{\"test\": 2432232314}"u8);
        var signed = Encoding.ASCII.GetBytes($"{message}.1614265330.{{\"test\": 2432232314}}");
        Assert.Equal($"v1,{Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), signed))}", signature);
    }

    [Fact]
    public async Task Signature_ChecksOutWithTheScriptOfTheReadme()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var registry = await HookRegistry.CreateAsync();
        var made = await registry.AddAsync(receiver.Url, null, settings => settings with { Format = WebhookFormat.Distribution });
        await registry.PushAsync("acme/app", "v1");
        await registry.FollowAndSendAsync();
        var hook = await receiver.NextAsync();

        var script = ReadmeScript();
        Assert.Equal(hook.Headers["webhook-signature"], await RunAsync(script, made.Secret.Reveal(), hook));
        Assert.NotEqual(hook.Headers["webhook-signature"], await RunAsync(script, WebhookSecret.Generate().Reveal(), hook));
    }

    [Fact]
    public async Task Secrets_AreInNoLogNoEventAndNoDelivery()
    {
        const string Authorization = "Bearer authorization-secret";
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var registry = await HookRegistry.CreateAsync();
        var made = await registry.AddAsync($"{receiver.Address}path-secret?token=query-secret", null, settings => settings with { Authorization = Authorization });
        await registry.PushAsync("acme/app", "v1");
        receiver.AnswerWith(500);
        await registry.FollowAndSendAsync();
        registry.Time.Advance(TimeSpan.FromHours(2));
        await registry.SendAsync();
        await registry.Get<WebhookList>().ChangeAsync(made.Webhook.Id, new WebhookChanges { Authorization = Authorization, Secret = made.Secret }, null, HookRegistry.Jane, default);

        Assert.Equal(Authorization, receiver.Received[0].Headers["Authorization"]);
        var kept = await registry.ScalarAsync<string>(
            "SELECT coalesce(string_agg(e::text, ' '), '') || (SELECT string_agg(d::text, ' ') FROM webhook_deliveries d) FROM events e");
        foreach (var secret in new[] { made.Secret.Reveal()[6..], "authorization-secret", "path-secret", "query-secret" })
        {
            Assert.DoesNotContain(registry.Log, line => line.Contains(secret, StringComparison.Ordinal));
            Assert.DoesNotContain(secret, kept);
        }

        Assert.DoesNotContain(made.Secret.Reveal()[6..], $"{made}");
        Assert.Contains(registry.Log, line => line.Contains($"failed at try 1: 500", StringComparison.Ordinal));
    }

    /// <summary>The lines of the README from "key=" on, which print the signature.</summary>
    private static string ReadmeScript()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Registry.sln"))) folder = folder.Parent!;
        var lines = File.ReadAllLines(Path.Combine(folder.FullName, "src/Gantry.Core/Webhooks/README.md"));
        return string.Join('\n', lines.SkipWhile(line => !line.StartsWith("    key=", StringComparison.Ordinal)).TakeWhile(line => line.StartsWith("    ", StringComparison.Ordinal)));
    }

    private static async Task<string> RunAsync(string script, string secret, ReceivedHook hook)
    {
        var body = Path.GetTempFileName();
        await File.WriteAllBytesAsync(body, hook.Body);
        using var bash = Process.Start(new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", script])
        {
            RedirectStandardOutput = true, UseShellExecute = false,
            Environment = { ["secret"] = secret, ["id"] = hook.Id, ["timestamp"] = hook.Headers["webhook-timestamp"], ["body"] = body },
        })!;
        var output = await bash.StandardOutput.ReadToEndAsync();
        await bash.WaitForExitAsync();
        File.Delete(body);
        Assert.Equal(0, bash.ExitCode);
        return output.Trim();
    }
}
