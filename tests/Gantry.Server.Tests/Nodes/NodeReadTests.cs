using System.Net;
using System.Text.Json;
using Gantry.Engine;
using Gantry.Engine.Tests.Pulls;
using Gantry.Oci;
using Gantry.Server.Tests.Faults;
using Gantry.Server.Tests.Pulls;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Nodes;

/// <summary>What one node answered 201 or 202 to holds on every node with the next request.</summary>
[Collection(nameof(SeveralNodes))]
[Trait("Speed", "Slow")]
public sealed class NodeReadTests(NodesFixture fixture) : IClassFixture<NodesFixture>
{
    private const string Repository = "nodes/reads";
    private const int Moves = 60;

    [Theory]
    [InlineData(Backend.FileSystem)]
    [InlineData(Backend.S3)]
    public async Task WhatIsPushedOnOneNode_IsThereOnAll(Backend backend)
    {
        var cluster = await fixture.ThreeAsync(backend);
        foreach (var writer in cluster.Nodes)
        {
            var layer = UploadSteps.NewContent(20_000);
            var digest = await writer.Client.PushBlobAsync(Repository, layer);
            await OnAllAsync(cluster, async node =>
            {
                using var head = await node.HeadBlobAsync(Repository, digest);
                Assert.Equal(layer.Length, head.Content.Headers.ContentLength);
                Assert.Equal(layer, await node.GetByteArrayAsync($"/v2/{Repository}/blobs/{digest}"));
            });

            var image = await writer.Client.PushImageAsync(Repository, "v", layer);
            await OnAllAsync(cluster, async node => Assert.Equal(image.ToString(), await node.FindTagAsync(Repository, "v")));
            var referrer = await writer.Client.PushManifestAsync(Repository, null, RegistryClient.ImageJson([layer], image, "application/test"));
            await OnAllAsync(cluster, async node =>
            {
                using var index = JsonDocument.Parse(await node.GetStringAsync($"/v2/{Repository}/referrers/{image}"));
                Assert.Equal(referrer.ToString(), index.RootElement.GetProperty("manifests")[0].GetProperty("digest").GetString());
            });

            var location = await writer.Client.StartUploadAsync(Repository);
            using var chunk = await writer.Client.SendChunkAsync(location, layer);
            await OnAllAsync(cluster, async node => Assert.Equal("0-19999", await node.RangeOfAsync(location)));
            using var cancelled = await writer.Client.DeleteAsync(location);
            await OnAllAsync(cluster, async node => Assert.Equal(HttpStatusCode.NotFound, (await node.GetAsync(location)).StatusCode));

            foreach (var manifest in (Digest[])[referrer, image]) await DeleteAsync(writer.Client, $"/v2/{Repository}/manifests/{manifest}");
            await DeleteAsync(writer.Client, $"/v2/{Repository}/blobs/{digest}");
            await OnAllAsync(cluster, async node =>
            {
                Assert.Null(await node.FindTagAsync(Repository, "v"));
                Assert.Null(await node.FindTagAsync(Repository, image.ToString()));
                Assert.Null(await node.FindBlobAsync(Repository, digest));
            });
        }
    }

    [Fact]
    public async Task TagThatMoves_IsNewOnAllNodesAtOnce()
    {
        var cluster = await fixture.ThreeAsync(Backend.FileSystem);
        string[] images = [RegistryClient.ImageJson([]), RegistryClient.ImageJson([], artifactType: "application/other")];
        await cluster.Client.PushBlobAsync(Repository, RegistryClient.EmptyConfig);
        for (var move = 0; move < Moves; move++)
        {
            var digest = await cluster.Nodes[move % 3].Client.PushManifestAsync(Repository, "moving", images[move % 2]);
            await OnAllAsync(cluster, async node => Assert.Equal(digest.ToString(), await node.FindTagAsync(Repository, "moving")));
        }
    }

    [Theory]
    [InlineData(Backend.FileSystem)]
    [InlineData(Backend.S3)]
    public async Task Pull_WhoseEveryRequestIsAnotherNodes_IsWhole(Backend backend)
    {
        var cluster = await fixture.ThreeAsync(backend);
        var digest = await TestImage.OfSize(layers: 4, bytes: 300_000, seed: 3).PushAsync(cluster.Client, Repository);
        using var engine = new EngineClient();
        Assert.Equal(digest, (await engine.PullAsync(cluster.Balancer.Address, Repository)).Image.Top.Digest);
    }

    [Theory]
    [Trait("Pull", "C94")]
    [InlineData(Backend.FileSystem)]
    [InlineData(Backend.S3)]
    public async Task Pull_WhoseNodeIsKilledInALayer_GoesOnAtTheNext(Backend backend)
    {
        var cluster = await fixture.ThreeAsync(backend);
        var repository = $"{Repository}-killed";
        // More than all buffers on the way hold.
        var image = TestImage.OfSize(layers: 1, bytes: 60_000_000, seed: 4);
        var digest = await image.PushAsync(cluster.Client, repository);
        var first = cluster.Nodes[0];
        cluster.Balancer.Targets = [first.Client.BaseAddress!];

        var killedAt = 0L;
        using var engine = new EngineClient();
        var pulled = await engine.PullAsync(cluster.Balancer.Address, repository, step =>
        {
            if (step.Phase != PullPhase.Downloading || Interlocked.CompareExchange(ref killedAt, step.Bytes, 0) != 0 || step.Bytes == 0) return;
            first.Process.Signal(ServerProcess.SigKill);
            cluster.Balancer.Targets = [.. cluster.Nodes.Skip(1).Select(node => node.Client.BaseAddress!)];
        });
        await first.KillAsync();

        Assert.Equal(digest, pulled.Image.Top.Digest);
        Assert.InRange(killedAt, 1, image.Layers[0].Blob.Length / 2);
        // The config, the layer, and the rest of it.
        Assert.Equal(3, cluster.Balancer.Counts[$"GET /v2/{repository}/blobs/*"]);
    }

    private static Task OnAllAsync(NodeCluster cluster, Func<HttpClient, Task> askAsync) =>
        Task.WhenAll(cluster.Nodes.Select(node => askAsync(node.Client)));

    private static async Task DeleteAsync(HttpClient client, string path)
    {
        using var answer = await client.DeleteAsync(path);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }
}
