using System.Text;
using System.Text.Json;
using Gantry.Core.Access;
using Gantry.Core.Browse;
using Gantry.Core.Events;
using Gantry.Core.Tests.GarbageCollection;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Core.Tests.Browse;

/// <summary>What the workers of a server do, when a test says so, and images with a config of their own.</summary>
internal static class Browsing
{
    public const string Layer = "application/vnd.oci.image.layer.v1.tar";

    /// <summary>Nobody in particular, who may do everything where <c>Access:Anonymous</c> is Full.</summary>
    public static Caller Anybody(this CollectedRegistry registry) => registry.Get<AccessPolicy>().CallerFor(null);

    public static async Task FollowAsync(this CollectedRegistry registry)
    {
        while (await registry.Get<EventOutbox>().FollowAsync(default) > 0) continue;
    }

    /// <summary>All that is stale, however lately it was counted.</summary>
    public static async Task<int> CountAsync(this CollectedRegistry registry)
    {
        await registry.FollowAsync();
        await registry.RestedAsync();
        var counted = 0;
        while (await registry.Get<RepositoryCounting>().CountNextAsync(default)) counted++;
        return counted;
    }

    public static Task RestedAsync(this CollectedRegistry registry) =>
        registry.ScalarAsync<object>("UPDATE repository_statistics SET count_at = now() - interval '1 second'");

    /// <summary>Lets the look for new links be due.</summary>
    public static async Task MarkNewLinksAsync(this CollectedRegistry registry)
    {
        await registry.ScalarAsync<object>("UPDATE work_cursors SET due_at = now() - interval '1 second' WHERE name = 'links'");
        await registry.Get<NewLinks>().MarkAsync(default);
    }

    /// <summary>Size, own and reclaimable bytes, manifests and tags.</summary>
    public static Task<string> StatisticsAsync(this CollectedRegistry registry, string repository) => registry.ScalarAsync<string>(
        """
        SELECT concat_ws(' ', size, own, reclaimable, manifests, tags) FROM repository_statistics s JOIN repositories r ON r.id = s.repository_id WHERE r.name = $1
        """, repository);

    public static Task<bool> IsStaleAsync(this CollectedRegistry registry, string repository) => registry.ScalarAsync<bool>(
        "SELECT stale_since IS NOT NULL FROM repository_statistics s JOIN repositories r ON r.id = s.repository_id WHERE r.name = $1", repository);

    public static async Task<Digest> PushImageOfAsync(this CollectedRegistry registry, string repository, string? tag, string config, params string[] layers)
    {
        foreach (var content in layers.Prepend(config)) await registry.PushBlobAsync(repository, content);
        return await registry.PushManifestAsync(repository, tag, ImageOf(config, layers));
    }

    public static string ImageOf(string config, params string[] layers) => JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciManifest, ["config"] = Descriptor(config, MediaTypes.OciConfig),
        ["layers"] = layers.Select(layer => Descriptor(layer, Layer)).ToArray(),
    });

    public static Dictionary<string, object> Descriptor(string content, string mediaType)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        return new Dictionary<string, object> { ["mediaType"] = mediaType, ["digest"] = Digest.Of(bytes).ToString(), ["size"] = bytes.Length };
    }

    public static string Config(string os, string architecture, string? variant = null) =>
        JsonSerializer.Serialize(new { os, architecture, variant, created = "2026-01-02T03:04:05Z" });

    public static Task<Digest> PushReferrerAsync(this CollectedRegistry registry, string repository, string? tag, Digest subject, string name) =>
        registry.PushManifestAsync(repository, tag, RegistryClient.ImageJson([], subject, $"application/x.{name}",
            new Dictionary<string, string> { ["name"] = name }));

    /// <summary>Tags of team/app, all of one image; every third is pulled, at times of which some are the same, and are sorted by sizes of their own: facts that a listing makes would set them.</summary>
    public static async Task FillWithTagsAsync(this CollectedRegistry registry, int tags)
    {
        await registry.PushImageAsync("team/app", null, "a layer");
        await registry.ScalarAsync<object>(
            $"""
             INSERT INTO tags (repository_id, name, manifest_digest, updated_at)
             SELECT 1, 't' || i, m.digest, now() - (i % 13) * interval '1 minute' FROM manifests m, generate_series(1, {tags}) i
             """);
        await registry.ScalarAsync<object>("INSERT INTO manifest_facts (repository_id, digest, size, due_at) SELECT repository_id, digest, 1, NULL FROM manifests");
        await registry.ScalarAsync<object>(
            """
            INSERT INTO tag_pulls (repository_id, name, pulled_at, pulls, size)
            SELECT 1, name, CASE WHEN length(name) % 3 = 0 THEN '-infinity' ELSE now() - length(name) * interval '1 hour' END, 1, ascii(right(name, 1)) * 1000 FROM tags
            """);
    }

    /// <summary>The names of all pages.</summary>
    public static async Task<List<string>> AllTagsAsync(this CollectedRegistry registry, RepositoryName repository, TagQuery query, int limit)
    {
        var (names, after) = (new List<string>(), (string?)null);
        do
        {
            var page = (await registry.Get<TagListing>().PageAsync(repository, query, after, limit, default))!;
            Assert.True(page.Items.Count <= limit);
            names.AddRange(page.Items.Select(item => item.Name.ToString()));
            after = page.Next;
        }
        while (after is not null);
        return names;
    }
}
