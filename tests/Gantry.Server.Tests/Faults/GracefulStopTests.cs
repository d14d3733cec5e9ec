using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Gantry.Oci;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Faults;

/// <summary>SIGTERM while bytes flow: they may finish within Server:ShutdownTimeout, nothing new is taken, PostgreSQL goes last.</summary>
[Collection(nameof(ProcessFaults))]
[Trait("Speed", "Slow")]
public sealed class GracefulStopTests
{
    private const string Repository = "graceful/stop";

    [Fact]
    public async Task SigTerm_LetsRunningTransfersFinish_AndTakesNothingNew()
    {
        var (stored, content) = (UploadSteps.NewContent(20_000_000), UploadSteps.NewContent(20_000_000));
        await using var registry = new RestartableRegistry();
        await registry.StartAsync(null, "Server:ShutdownTimeout=00:05:00");
        var digest = await registry.Client.PushBlobAsync(Repository, stored);
        var location = await registry.Client.StartUploadAsync(Repository);

        using var body = new HeldContent(content);
        var put = registry.Client.PutAsync(RegistryClient.WithDigest(location, Digest.Of(content)), body);
        using var get = await registry.Client.GetAsync($"/v2/{Repository}/blobs/{digest}", HttpCompletionOption.ResponseHeadersRead);
        await using var download = await get.Content.ReadAsStreamAsync();
        var read = new byte[stored.Length];
        await download.ReadExactlyAsync(read.AsMemory(0, 1_000_000));
        await body.Half;

        registry.Server.Signal(ServerProcess.SigTerm);
        await UntilRefusedAsync(registry.Client.BaseAddress!);

        // Longer than the two seconds after which a command line parser would have ended it.
        await Task.Delay(3000);
        Assert.False(registry.Server.HasExited, registry.Server.Output);
        Assert.NotNull(registry.Postgres.ProcessId);
        await download.ReadExactlyAsync(read.AsMemory(1_000_000));
        Assert.Equal(digest, Digest.Of(read));
        body.Release();
        using (var answer = await put) Assert.Equal(HttpStatusCode.Created, answer.StatusCode);

        Assert.Equal(0, await registry.Server.WaitForExitAsync());
        Assert.Null(registry.Postgres.ProcessId);
        Assert.Contains("PostgreSQL stopped", registry.Server.Output.TrimEnd().Split('\n')[^1]);

        await registry.StartAsync();
        Assert.Equal(content, await registry.Client.FindBlobAsync(Repository, Digest.Of(content)));
    }

    [Fact]
    public async Task SigTerm_PastTheLimit_StopsAnyway_AndTheUploadGoesOnLater()
    {
        var content = UploadSteps.NewContent(20_000_000);
        await using var registry = new RestartableRegistry();
        await registry.StartAsync(null, "Server:ShutdownTimeout=00:00:02");
        var location = await registry.Client.StartUploadAsync(Repository);
        using (var chunk = await registry.Client.SendChunkAsync(location, content[..1_000_000]))
            Assert.Equal(HttpStatusCode.Accepted, chunk.StatusCode);
        using var body = new HeldContent(content[1_000_000..]);
        var patch = registry.Client.PatchAsync(location, body);
        await body.Half;

        var began = Stopwatch.StartNew();
        Assert.Equal(0, await registry.Server.StopAsync());
        Assert.True(began.Elapsed < TimeSpan.FromSeconds(45), $"took {began.Elapsed}");
        Assert.Null(registry.Postgres.ProcessId);
        body.Release();
        await Assert.ThrowsAsync<HttpRequestException>(() => patch);

        await registry.StartAsync();
        var offset = int.Parse((await registry.Client.RangeOfAsync(location)).Split('-')[1]) + 1;
        Assert.InRange(offset, 1_000_000, content.Length);
        using var put = await registry.Client.CloseAsync(location, Digest.Of(content), content[offset..]);
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        Assert.Equal(content, await registry.Client.FindBlobAsync(Repository, Digest.Of(content)));
    }

    [Fact]
    public async Task SigTerm_WhileStarting_EndsWithoutAFault()
    {
        await using var registry = new RestartableRegistry();
        await registry.StartAsync();
        await registry.Server.KillAsync();

        // At several points of the start; which ones is the machine's choice.
        foreach (var delay in new[] { 100, 400, 700, 1000, 1400 })
        {
            var server = registry.Launch(null);
            await Task.Delay(delay);
            var code = await server.StopAsync();
            // Before the runtime listens for signals the kernel's own answer is all there is.
            Assert.True(code is 0 or 128 + ServerProcess.SigTerm, $"exit code {code} after {delay} ms:\n{server.Output}{server.Errors}");
            Assert.DoesNotContain("not prepared for", server.Errors);
        }

        await registry.StartAsync();
        Assert.Equal(200, await registry.ReadyAsync());
    }

    private static async Task UntilRefusedAsync(Uri address)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(address.Host, address.Port, limit.Token);
            }
            catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
            {
                return;
            }
            catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
            {
                // It was in the queue of the socket that was closed just then.
            }

            await Task.Delay(20, limit.Token);
        }
    }
}
