using System.Net;
using Gantry.TestKit;
using Microsoft.Extensions.Options;

namespace Gantry.Server.Tests.V2;

/// <summary>A text for the users of every client.</summary>
[Trait("Protocol", "D4.70")]
[Trait("Speed", "Slow")]
public sealed class WarningTests
{
    [Fact]
    public async Task EveryAnswer_CarriesTheWarning()
    {
        await using var server = await RegistryServer.StartAsync("Server:Warning=Moving on \"1 May\" to C:\\new");
        using var client = server.Client();
        await client.PushImageAsync("a/b", "v1");
        foreach (var (path, status) in ((string, HttpStatusCode)[])
            [("/v2/", HttpStatusCode.OK), ("/v2/a/b/manifests/v1", HttpStatusCode.OK), ("/v2/a/b/manifests/missing", HttpStatusCode.NotFound), ("/v2/x", HttpStatusCode.NotFound)])
        {
            using var answer = await client.GetAsync(path);
            answer.AssertStatus(status);
            // Code, no agent, quoted text, and no date after it.
            Assert.Equal("""299 - "Moving on \"1 May\" to C:\\new" """.TrimEnd(), answer.RawHeader("Warning"));
        }

        using var health = await client.GetAsync("/healthz/live");
        Assert.Null(health.RawHeader("Warning"));
    }

    [Fact]
    public async Task NoText_NoHeader()
    {
        await using var server = await RegistryServer.StartAsync();
        using var client = server.Client();
        using var answer = await client.GetAsync("/v2/");
        Assert.Null(answer.RawHeader("Warning"));
    }

    [Theory]
    [InlineData('x', 4000, true)]
    [InlineData('x', 4001, false)]
    [InlineData('"', 2000, true)]
    [InlineData('"', 2001, false)]
    [InlineData('\\', 2001, false)]
    [InlineData('\n', 1, false)]
    [InlineData('é', 1, false)]
    public async Task Text_ThatFitsTheHeader_IsTaken(char c, int count, bool accepted)
    {
        var setting = $"Server:Warning={new string(c, count)}";
        if (!accepted)
        {
            Assert.Contains("Server:Warning", (await Assert.ThrowsAsync<OptionsValidationException>(() => RegistryServer.StartAsync(setting))).Message, StringComparison.Ordinal);
            return;
        }

        await using var server = await RegistryServer.StartAsync(setting);
        using var client = server.Client();
        using var answer = await client.GetAsync("/v2/");
        Assert.InRange(answer.RawHeader("Warning")!.Length, 4000, 4096);
    }
}
