using System.Net;
using Gantry.Oci;
using Gantry.Server.Tests.Faults;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;
using Microsoft.AspNetCore.Http;

namespace Gantry.Server.Tests.Nodes;

/// <summary>Uploads whose requests go to several nodes, one at a time, two at once, and after one of them died.</summary>
[Collection(nameof(SeveralNodes))]
[Trait("Speed", "Slow")]
public sealed class NodeUploadTests(NodesFixture fixture) : IClassFixture<NodesFixture>
{
    private const string Repository = "nodes/uploads";

    public static TheoryData<Backend, string, int, int, int> Ways
    {
        get
        {
            var ways = new TheoryData<Backend, string, int, int, int>();
            foreach (var backend in Enum.GetValues<Backend>())
            {
                ways.Add(backend, "sha256", 1_000_003, 1_000_003, 0); // one PATCH
                ways.Add(backend, "sha256", 2_000_001, 64 * 1024, 0); // as the .NET SDK
                ways.Add(backend, "sha512", 700_001, 64 * 1024, 0);
                ways.Add(backend, "sha256", 300_007, 99_991, 12_345); // the last bytes with the close
                ways.Add(backend, "sha512", 20_000_011, 6_000_001, 1); // several parts
            }

            return ways;
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Upload_WhoseEveryRequestIsAnotherNodes_IsNotReadBack(Backend backend, string algorithm, int length, int chunk, int last)
    {
        var cluster = await fixture.ThreeAsync(backend);
        var content = UploadSteps.NewContent(length);
        Assert.True(DigestAlgorithms.TryParse(algorithm, out var known));
        var digest = Digest.Of(content, known);
        using var post = await cluster.Client.PostAsync($"/v2/{Repository}/blobs/uploads/?digest-algorithm={algorithm}", null);
        var location = post.Headers.Location!.ToString();
        var session = UploadSteps.SessionId(location);
        var reads = CountReads(cluster, session);
        for (var offset = 0; offset < length - last;)
        {
            var end = Math.Min(offset + chunk, length - last);
            using var patch = await cluster.Client.SendChunkAsync(location, content[offset..end], $"{offset}-{end - 1}");
            Assert.Equal(HttpStatusCode.Accepted, patch.StatusCode);
            Assert.Equal($"0-{end - 1}", patch.Header("Range"));
            offset = end;

            // With the state in the row no node has to read what another one wrote.
            Assert.Equal(1, await cluster.CountAsync($"SELECT count(*) FROM upload_sessions WHERE id = '{session}' AND hash_state IS NOT NULL AND writer IS NULL"));
        }

        using var put = await cluster.Client.CloseAsync(location, digest, content[(length - last)..]);
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        var read = reads();
        Assert.True(read.Count == 0, $"read back: {string.Join(" ", read)}");
        foreach (var node in cluster.Nodes) Assert.Equal(content, await node.Client.GetByteArrayAsync($"/v2/{Repository}/blobs/{digest}"));
    }

    [Theory]
    [InlineData(Backend.FileSystem)]
    [InlineData(Backend.S3)]
    public async Task SecondWriter_OnAnotherNode_IsToldWhereTheUploadStands(Backend backend)
    {
        var cluster = await fixture.ThreeAsync(backend);
        var content = UploadSteps.NewContent(100_000);
        var (location, held, patch) = await BeginAsync(cluster, content);

        using var second = await cluster.Nodes[1].Client.SendChunkAsync(location, content[50_000..], "50000-99999");
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, second.StatusCode);
        Assert.Equal("0-49999", second.Header("Range"));

        held.Release();
        using var first = await patch;
        Assert.Equal(HttpStatusCode.Accepted, first.StatusCode);
        using var put = await cluster.Nodes[2].Client.CloseAsync(location, Digest.Of(content));
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    [Theory]
    [InlineData(Backend.FileSystem)]
    [InlineData(Backend.S3)]
    public async Task Writer_KilledInAChunk_IsFollowedByAnotherNodeAtTheDurableOffset(Backend backend)
    {
        var cluster = await fixture.ThreeAsync(backend);
        var content = UploadSteps.NewContent(100_000);
        var (location, held, patch) = await BeginAsync(cluster, content);

        await cluster.Nodes[0].KillAsync();
        cluster.Balance();
        held.Release();
        await Assert.ThrowsAsync<HttpRequestException>(() => patch);

        // At once: the node's number went with its connection.
        Assert.Equal("0-49999", await cluster.Nodes[1].Client.RangeOfAsync(location));
        using var rest = await cluster.Nodes[1].Client.SendChunkAsync(location, content[50_000..], "50000-99999");
        Assert.Equal(HttpStatusCode.Accepted, rest.StatusCode);
        using var put = await cluster.Nodes[2].Client.CloseAsync(location, Digest.Of(content));
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        Assert.Equal(content, await cluster.Client.GetByteArrayAsync($"/v2/{Repository}/blobs/{Digest.Of(content)}"));
    }

    [Theory]
    [InlineData(Backend.FileSystem)]
    [InlineData(Backend.S3)]
    public async Task Zombie_ThatWasOvertaken_IsRefusedAndHarmsNothing(Backend backend)
    {
        var cluster = await fixture.ThreeAsync(backend);
        var content = UploadSteps.NewContent(12_000_000);
        var digest = Digest.Of(content);
        var (location, held, patch) = await BeginAsync(cluster, content);
        var half = content.Length / 2;

        // Its sessions end while it stands still: to the others it is gone.
        var zombie = cluster.Nodes[0];
        zombie.Process.Signal(ServerProcess.SigStop);
        await cluster.CutDatabaseOffAsync(zombie.Name);
        await cluster.UntilForgottenAsync(zombie.Name);
        if (backend == Backend.FileSystem)
        {
            // A file's lock is the process's own, and it still has it.
            using var refused = await cluster.Nodes[1].Client.SendChunkAsync(location, content[half..], $"{half}-{content.Length - 1}");
            Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, refused.StatusCode);
        }
        else
        {
            using var rest = await cluster.Nodes[1].Client.SendChunkAsync(location, content[half..], $"{half}-{content.Length - 1}");
            Assert.Equal(HttpStatusCode.Accepted, rest.StatusCode);
            using var put = await cluster.Nodes[2].Client.CloseAsync(location, digest);
            Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        }

        zombie.Process.Signal(ServerProcess.SigContinue);
        held.Release();
        try
        {
            using var late = await patch;
            Assert.True(backend == Backend.FileSystem || !late.IsSuccessStatusCode, $"the zombie's chunk was answered {late.StatusCode}");
        }
        catch (HttpRequestException)
        {
            // It hung up, which is a refusal as well.
        }

        if (backend == Backend.FileSystem)
        {
            // It had the upload to itself; whoever goes on does so at what its row says.
            await UploadSteps.UntilAsync(async () => (await cluster.Nodes[1].Client.SendChunkAsync(location, [])).StatusCode == HttpStatusCode.Accepted, "the zombie lets go");
            var offset = int.Parse((await cluster.Nodes[1].Client.RangeOfAsync(location)).Split('-')[1], null) + 1;
            using var put = await cluster.Nodes[2].Client.CloseAsync(location, digest, content[offset..]);
            Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        }

        foreach (var node in cluster.Nodes) Assert.Equal(content, await node.Client.GetByteArrayAsync($"/v2/{Repository}/blobs/{digest}"));
    }

    /// <summary>Half of the content is durable by node 0, and the other half is on its way there: it holds the upload.</summary>
    private static async Task<(string Location, HeldContent Held, Task<HttpResponseMessage> Patch)> BeginAsync(NodeCluster cluster, byte[] content)
    {
        var location = await cluster.Client.StartUploadAsync(Repository);
        var half = content.Length / 2;
        using var first = await cluster.Nodes[1].Client.SendChunkAsync(location, content[..half], $"0-{half - 1}");
        Assert.Equal(HttpStatusCode.Accepted, first.StatusCode);

        var held = new HeldContent(content[half..]);
        held.Headers.TryAddWithoutValidation("Content-Range", $"{half}-{content.Length - 1}");
        var patch = cluster.Nodes[0].Client.PatchAsync(location, held);
        var id = UploadSteps.SessionId(location);
        await UploadSteps.UntilAsync(async () => await cluster.CountAsync($"SELECT count(writer) FROM upload_sessions WHERE id = '{id}'") == 1, "node 0 has the upload");
        return (location, held, patch);
    }

    /// <summary>On S3: each time the upload's committed object was asked for. A folder's reads cannot be seen from here.</summary>
    private static Func<IReadOnlyCollection<string>> CountReads(NodeCluster cluster, Guid session)
    {
        var found = new System.Collections.Concurrent.ConcurrentQueue<string>();
        if (cluster.Bytes is not SharedBucket bucket) return () => found;
        bucket.Proxy.Faults = request =>
        {
            // With an uploadId it asks for the parts' names.
            if (HttpMethods.IsGet(request.Method) && !request.Query.ContainsKey("uploadId") && request.Path.Value!.Contains("/blobs/", StringComparison.Ordinal)
                && request.Path.Value.Contains(session.ToString("N"), StringComparison.Ordinal)) found.Enqueue($"{request.Path} {request.QueryString} {request.Headers.Range}");
            return null;
        };
        return () =>
        {
            bucket.Proxy.Faults = null;
            return found;
        };
    }
}
