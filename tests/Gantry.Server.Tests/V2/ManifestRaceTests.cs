using System.Net;
using System.Text;
using Gantry.Oci;
using Gantry.TestKit;
using Npgsql;

namespace Gantry.Server.Tests.V2;

/// <summary>Pushes and deletes of the same things at the same time.</summary>
public sealed class ManifestRaceTests(RegistryFixture registry)
{
    private HttpClient Client => registry.Client;

    [Fact]
    [Trait("Protocol", "D3.45")]
    public async Task Put_OneTagByManyWriters_EndsAtOneOfThemWithItsHistoryWhole()
    {
        const int writers = 8, each = 8;
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var manifests = Enumerable.Range(0, writers * each).Select(i => Numbered($"{i}")).ToList();

        await Task.WhenAll(manifests.Chunk(each).Select(async mine =>
        {
            foreach (var manifest in mine) await Client.PushManifestAsync(repository, "latest", manifest);
        }));

        using var head = await Client.SendAsync("HEAD", $"/v2/{repository}/manifests/latest");
        var pushed = manifests.Select(json => Digest.Of(Encoding.UTF8.GetBytes(json)).ToString()).ToList();
        var history = await HistoryAsync(repository, "latest");
        // Each manifest was pushed once, so each push moved the tag once; the last move is where it stands.
        Assert.Equal(pushed.Order(StringComparer.Ordinal), history.Order(StringComparer.Ordinal));
        Assert.Equal(history[^1], head.RawHeader("Docker-Content-Digest"));
        Assert.Equal(["latest"], await Client.FollowNamesAsync($"/v2/{repository}/tags/list", "tags"));
    }

    [Fact]
    [Trait("Protocol", "D3.45")]
    public async Task Put_TheSameManifestByMany_IsCreatedToAll()
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var json = Numbered("same");

        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Client.PushManifestAsync(repository, i % 2 == 0 ? "v1" : null, json)));

        Assert.Single(await HistoryAsync(repository, "v1"));
        await AssertConsistentAsync(repository);
    }

    /// <summary>Both wait for the blob's link, and get it in the order in which they came.</summary>
    [Theory]
    [Trait("Protocol", "D3.55")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Put_RacingTheDeleteOfItsBlob_OneOfThemIsRefused(bool pushFirst)
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var blob = await Client.PushBlobAsync(repository, "contested"u8.ToArray());
        var id = await RepositoryIdAsync(repository);
        await using var blocker = new NpgsqlConnection(registry.Server.ConnectionString);
        await blocker.OpenAsync();
        await using var transaction = await blocker.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand(
            "SELECT 1 FROM blob_links WHERE repository_id = $1 AND digest = $2 FOR UPDATE", blocker, transaction))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = id });
            command.Parameters.Add(new NpgsqlParameter { Value = blob.ToString() });
            await command.ExecuteNonQueryAsync();
        }

        Task<HttpResponseMessage> Push() => Client.PutManifestAsync(repository, "v1", RegistryClient.ImageJson(["contested"u8.ToArray()]));
        Task<HttpResponseMessage> Delete() => Client.DeleteAsync($"/v2/{repository}/blobs/{blob}");
        var first = pushFirst ? Push() : Delete();
        await WaitersAsync(blocker.ProcessID, 1);
        var second = pushFirst ? Delete() : Push();
        await WaitersAsync(blocker.ProcessID, 2);
        await transaction.CommitAsync();

        using var push = await (pushFirst ? first : second);
        using var delete = await (pushFirst ? second : first);
        push.AssertStatus(pushFirst ? HttpStatusCode.Created : HttpStatusCode.NotFound);
        delete.AssertStatus(pushFirst ? HttpStatusCode.Conflict : HttpStatusCode.Accepted);
        await AssertConsistentAsync(repository);
    }

    [Fact]
    [Trait("Protocol", "D3.55")]
    public async Task Put_RacingTheDeleteOfItsBlobOrChild_NeverLeavesAManifestWithoutWhatItNeeds()
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var outcomes = new HashSet<string>(StringComparer.Ordinal);
        for (var round = 0; round < 25; round++)
        {
            var layer = Encoding.UTF8.GetBytes($"layer {round}");
            await Client.PushBlobAsync(repository, layer);
            var child = await Client.PushManifestAsync(repository, null, Numbered($"child {round}"));

            var image = Client.PutManifestAsync(repository, $"image-{round}", RegistryClient.ImageJson([layer]));
            var noBlob = Client.DeleteAsync($"/v2/{repository}/blobs/{Digest.Of(layer)}");
            var index = Client.PutManifestAsync(repository, $"index-{round}", RegistryClient.IndexJson((MediaTypes.OciManifest, child, 1)), MediaTypes.OciIndex);
            var noChild = Client.DeleteAsync($"/v2/{repository}/manifests/{child}");

            foreach (var (push, delete) in (List<(Task<HttpResponseMessage>, Task<HttpResponseMessage>)>)[(image, noBlob), (index, noChild)])
            {
                using var pushed = await push;
                using var deleted = await delete;
                Assert.Contains(((int)pushed.StatusCode, (int)deleted.StatusCode), ((int, int)[])[(201, 409), (404, 202)]);
                outcomes.Add($"{(int)pushed.StatusCode}");
            }
        }

        await AssertConsistentAsync(repository);
        TestContext.Current.TestOutputHelper!.WriteLine($"outcomes seen: {string.Join(", ", outcomes)}");
    }

    [Theory]
    [Trait("Protocol", "D3.55")]
    [Trait("Speed", "Slow")]
    [InlineData(1)]
    [InlineData(2)]
    public async Task RandomPushesAndDeletes_AtOnce_NeverFail(int round)
    {
        const int workers = 8, steps = 150;
        var repository = registry.NewRepository();
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"round {round}, seed {seed}");
        var layers = Enumerable.Range(0, 3).Select(i => Encoding.UTF8.GetBytes($"layer {i}")).ToArray();
        var images = Enumerable.Range(0, 4).Select(i => RegistryClient.ImageJson([layers[i % 3], layers[(i + 1) % 3]], annotations: Named($"{i}"))).ToArray();
        Digest ImageDigest(int i) => Digest.Of(Encoding.UTF8.GetBytes(images[i % 4]));
        var indexes = Enumerable.Range(0, 2).Select(i =>
            RegistryClient.IndexJson((MediaTypes.OciManifest, ImageDigest(i), 1), (MediaTypes.OciManifest, ImageDigest(i + 1), 1))).ToArray();
        await Client.PushConfigAsync(repository);

        async Task<int> StepAsync(Random random)
        {
            var (i, tag) = (random.Next(4), $"tag-{random.Next(3)}");
            var tags = string.Join('&', Enumerable.Range(0, 3).OrderBy(_ => random.Next()).Select(t => $"tag=tag-{t}"));
            using var answer = await (random.Next(9) switch
            {
                0 or 1 => PushLayerAsync(layers[i % 3]),
                2 => Client.PutManifestAsync(repository, tag, images[i]),
                3 => Client.PutManifestAsync(repository, $"{ImageDigest(i)}?{tags}", images[i]),
                4 => Client.PutManifestAsync(repository, tag, indexes[i % 2], MediaTypes.OciIndex),
                5 => Client.DeleteAsync($"/v2/{repository}/manifests/{tag}"),
                6 => Client.DeleteAsync($"/v2/{repository}/manifests/{ImageDigest(i)}"),
                7 => Client.DeleteAsync($"/v2/{repository}/manifests/{Digest.Of(Encoding.UTF8.GetBytes(indexes[i % 2]))}"),
                _ => Client.DeleteAsync($"/v2/{repository}/blobs/{Digest.Of(layers[i % 3])}"),
            });
            return (int)answer.StatusCode;
        }

        async Task<HttpResponseMessage> PushLayerAsync(byte[] layer) =>
            await Client.PostAsync($"/v2/{repository}/blobs/uploads/?digest={Digest.Of(layer)}", RegistryClient.Bytes(layer));

        var statuses = await Task.WhenAll(Enumerable.Range(0, workers).Select(async worker =>
        {
            var random = new Random(seed + worker);
            var seen = new List<int>();
            for (var step = 0; step < steps; step++) seen.Add(await StepAsync(random));
            return seen;
        }));

        Assert.All(statuses.SelectMany(seen => seen), status => Assert.True(status is 201 or 202 or 404 or 409, $"seed {seed}: {status}"));
        Assert.Superset(new HashSet<int> { 201, 202, 404, 409 }, statuses.SelectMany(seen => seen).ToHashSet());
        await AssertConsistentAsync(repository);
    }

    private static Dictionary<string, string> Named(string name) => new(StringComparer.Ordinal) { ["name"] = name };

    private static string Numbered(string name) => RegistryClient.ImageJson([], annotations: Named(name));

    private Task<long> RepositoryIdAsync(string repository) =>
        registry.Server.QueryAsync<long>("SELECT id FROM repositories WHERE name = $1", repository);

    private async Task<string[]> HistoryAsync(string repository, string tag) => (await registry.Server.QueryAsync<string[]>(
        "SELECT array_agg(manifest_digest ORDER BY h.id) FROM tag_history h JOIN repositories r ON r.id = h.repository_id WHERE r.name = $1 AND h.name = $2",
        repository, tag))!;

    // Who waits for the blocker, directly or behind another that does.
    private Task WaitersAsync(int blocker, long count) => UploadSteps.UntilAsync(async () => await registry.Server.QueryAsync<long>(
        """
        WITH RECURSIVE waiting(pid) AS (
            SELECT pid FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))
            UNION SELECT a.pid FROM pg_stat_activity a JOIN waiting w ON w.pid = ANY (pg_blocking_pids(a.pid)))
        SELECT count(*) FROM waiting
        """, blocker) == count, $"{count} waiters");

    /// <summary>No live manifest without its live links and children, no tag without its live manifest.</summary>
    private async Task AssertConsistentAsync(string repository)
    {
        var id = await RepositoryIdAsync(repository);
        Assert.Equal(0, await registry.Server.QueryAsync<long>(
            """
            SELECT count(*) FROM manifests m JOIN manifest_references n ON n.repository_id = m.repository_id AND n.manifest_digest = m.digest
            LEFT JOIN blob_links l ON l.repository_id = n.repository_id AND l.digest = n.blob_digest AND l.deleted_at IS NULL
            LEFT JOIN manifests c ON c.repository_id = n.repository_id AND c.digest = n.child_digest AND c.deleted_at IS NULL
            WHERE m.repository_id = $1 AND m.deleted_at IS NULL AND l.digest IS NULL AND c.digest IS NULL
            """, id));
        Assert.Equal(0, await registry.Server.QueryAsync<long>(
            """
            SELECT count(*) FROM tags t JOIN manifests m ON m.repository_id = t.repository_id AND m.digest = t.manifest_digest
            WHERE t.repository_id = $1 AND m.deleted_at IS NOT NULL
            """, id));
    }
}
