using System.Net;
using Gantry.Oci;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Faults;

/// <summary>
/// What no kill can show, because the page cache survives it: a push is durable before it is said to be. Every step is
/// looked for after the one before it.
/// </summary>
[Collection(nameof(ProcessFaults))]
[Trait("Speed", "Slow")]
public sealed class DurabilityOrderTests : IAsyncLifetime
{
    private static readonly string[] Watched =
    [
        "fsync", "fdatasync", "rename", "renameat", "renameat2", "sendto", "sendmsg", "write", "writev", "recvfrom", "recvmsg", "read",
    ];

    private readonly RestartableRegistry _registry = new();

    private string Trace => Path.Combine(_registry.Folder, "trace");

    public async ValueTask InitializeAsync() => await _registry.StartAsync();

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    [Fact]
    public async Task Close_MakesTheBytesDurable_ThenTheRow_ThenAnswers()
    {
        // Once unseen: what is made on the way (the repository, prepared statements) is not what this is about.
        await _registry.Client.PushBlobAsync("order", UploadSteps.NewContent(1000));
        var location = await _registry.Client.StartUploadAsync("order");
        var content = UploadSteps.NewContent(200_000);
        using var chunk = await _registry.Client.SendChunkAsync(location, content[..100_000]);

        List<string> calls;
        await using (var strace = await SystemCalls.WatchAsync(_registry.Server.Id, Trace, Watched))
        {
            using var put = await _registry.Client.CloseAsync(location, Digest.Of(content), content[100_000..]);
            Assert.Equal(HttpStatusCode.Created, put.StatusCode);
            calls = await strace.EndAsync();
        }

        var id = UploadSteps.SessionId(location).ToString("N");
        var (staging, committed) = ($"/uploads/{id[^2..]}/{id}", $"/blobs/{id[^2..]}/{id}");
        var order = new CallOrder(calls);
        order.Expect("the last bytes are written before they are durable", "fsync(", staging, "= 0");
        order.Expect("the rename comes after the fsync of the file", "rename", staging, committed, "= 0");
        order.Expect("the new name is durable after the rename", "fsync(", $"/blobs/{id[^2..]}>", "= 0");
        order.Expect("the old name is gone for good after that", "fsync(", $"/uploads/{id[^2..]}>", "= 0");
        order.Expect("rows are committed after all bytes and names are durable", "send", "COMMIT");
        order.Expect("PostgreSQL says that it has them", "re", "COMMIT");
        order.Expect("201 comes after the rows", "send", "HTTP/1.1 201 Created");
    }

    [Fact]
    public async Task Patch_MakesTheBytesDurable_ThenTheOffset_ThenAnswers()
    {
        await _registry.Client.PushBlobAsync("order", UploadSteps.NewContent(1000));
        var location = await _registry.Client.StartUploadAsync("order");

        List<string> calls;
        await using (var strace = await SystemCalls.WatchAsync(_registry.Server.Id, Trace, Watched))
        {
            using var chunk = await _registry.Client.SendChunkAsync(location, UploadSteps.NewContent(100_000));
            Assert.Equal(HttpStatusCode.Accepted, chunk.StatusCode);
            calls = await strace.EndAsync();
        }

        var id = UploadSteps.SessionId(location).ToString("N");
        var order = new CallOrder(calls);
        order.Expect("the chunk is durable", "fsync(", $"/uploads/{id[^2..]}/{id}", "= 0");
        order.Expect("and the upload's name with it, at the first chunk", "fsync(", $"/uploads/{id[^2..]}>", "= 0");
        order.Expect("the offset is recorded after that", "send", "socket:");
        order.Expect("202 comes after the offset", "send", "HTTP/1.1 202 Accepted");
    }

    [Fact]
    public async Task PushManifest_CommitsBeforeItAnswers()
    {
        await _registry.Client.PushImageAsync("order", "v1", []);

        List<string> calls;
        await using (var strace = await SystemCalls.WatchAsync(_registry.Server.Id, Trace, Watched))
        {
            await _registry.Client.PushManifestAsync("order", "v2", RegistryClient.ImageJson([], artifactType: "application/x"));
            calls = await strace.EndAsync();
        }

        var order = new CallOrder(calls);
        order.Expect("rows are committed", "send", "COMMIT");
        order.Expect("PostgreSQL says that it has them", "re", "COMMIT");
        order.Expect("201 comes after that", "send", "HTTP/1.1 201 Created");
    }

    /// <summary>A COMMIT means something only where PostgreSQL flushes its log before it answers.</summary>
    [Fact]
    public async Task PrivatePostgres_IsDurable()
    {
        var settings = await _registry.QueryAsync(
            "SELECT name || '=' || setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') ORDER BY name",
            row => row.GetString(0));
        Assert.Equal(["fsync=on", "full_page_writes=on", "synchronous_commit=on"], settings);
    }

    /// <summary>Looks for calls one after another.</summary>
    private sealed class CallOrder(List<string> calls)
    {
        private int _next;

        public void Expect(string sentence, string call, params string[] parts)
        {
            var found = calls.FindIndex(_next, text => text.StartsWith(call, StringComparison.Ordinal)
                && parts.All(part => text.Contains(part, StringComparison.Ordinal)));
            Assert.True(found >= 0, $"{sentence}: no {call} {string.Join(' ', parts)} from here on:\n" +
                string.Join('\n', calls.Select((text, index) => index == _next ? $"--> {text}" : text)));
            _next = found + 1;
        }
    }
}
