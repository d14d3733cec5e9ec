using Gantry.Core.GarbageCollection;

namespace Gantry.Core.Tests.GarbageCollection;

/// <summary>Every statement of the reviews finds its rows by an index, however many there are that it has nothing to do with.</summary>
[Trait("Speed", "Slow")]
public sealed class ReviewPlanTests
{
    private const int Rows = 100_000;

    [Fact]
    public async Task Reviews_OfALargeRegistry_ScanIndexesAlone()
    {
        await using var registry = await CollectedRegistry.CreateAsync();
        await registry.PushBlobAsync("app", "a repository");
        // One of 200 is suspect and due, the others are in use.
        await registry.ScalarAsync<object>(
            $"""
             INSERT INTO blobs (digest, size, location, suspect_since)
             SELECT 'sha256:' || lpad(to_hex(i), 64, '0'), 1, 'blobs/00/' || lpad(to_hex(i), 32, '0'), CASE WHEN i % 200 = 1 THEN now() END FROM generate_series(1, {Rows}) i
             """);
        await registry.ScalarAsync<object>(
            $"""
             INSERT INTO blob_links (repository_id, digest, touched_at, suspect_since)
             SELECT 1, 'sha256:' || lpad(to_hex(i), 64, '0'), now() - interval '2 days', CASE WHEN i % 200 = 0 THEN now() - interval '2 days' END FROM generate_series(1, {Rows}) i
             """);
        await registry.ScalarAsync<object>(
            $"""
             INSERT INTO manifests (repository_id, digest, media_type, payload, deleted_at, suspect_since)
             SELECT 1, 'sha256:' || lpad(to_hex(i), 64, '0'), 'm', '', d, d FROM generate_series(1, {Rows}) i, LATERAL (SELECT CASE WHEN i % 200 = 2 THEN now() - interval '2 days' END d) hidden
             """);
        await registry.ScalarAsync<object>(
            $"""
             INSERT INTO manifest_references (repository_id, manifest_digest, blob_digest)
             SELECT 1, 'sha256:' || lpad(to_hex(i), 64, '0'), 'sha256:' || lpad(to_hex(i), 64, '0') FROM generate_series(1, {Rows}) i WHERE i % 200 <> 0
             """);
        await registry.ScalarAsync<object>("INSERT INTO layer_listings (digest, state) SELECT digest, 'ready' FROM blobs WHERE size = 1");
        await registry.ScalarAsync<object>("INSERT INTO layer_pages (digest, first, page) SELECT digest, '', '' FROM layer_listings");
        await registry.ScalarAsync<object>("ANALYZE blobs, blob_links, manifests, manifest_references, layer_listings, layer_pages");
        registry.Pauses.Plans = [];

        Assert.Equal(new Reviewed(100, 100, 100), await registry.Get<ManifestReview>().ReviewAsync(100, default));
        Assert.Equal(new Reviewed(100, 100, 100), await registry.Get<LinkReview>().ReviewAsync(100, default));
        Assert.Equal(new Reviewed(100, 100, 0), await registry.Get<BlobReview>().ReviewAsync(100, default));
        // Those that the links' review has just made suspect: first their pages, then they.
        await registry.ScalarAsync<object>("UPDATE blobs SET suspect_since = suspect_since - interval '1 day' WHERE NOT EXISTS (SELECT FROM blob_links l WHERE l.digest = blobs.digest)");
        Assert.Equal(new Reviewed(100, 100, 0), await registry.Get<BlobReview>().ReviewAsync(100, default));
        Assert.Equal(100, (await registry.Get<BlobReview>().ReviewAsync(100, default)).Gone);

        Assert.True(registry.Pauses.Plans.Count >= 20);
        Assert.All(registry.Pauses.Plans, plan => Assert.DoesNotContain("Seq Scan", plan, StringComparison.Ordinal));
    }
}
