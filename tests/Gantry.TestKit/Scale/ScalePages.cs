using Gantry.Oci;

namespace Gantry.TestKit;

/// <summary>
/// What the web page shows beside the repositories of <c>/v2</c>, in a <see cref="ScaleDatabase"/>: 10,000 repositories in 200 namespaces, a thousand
/// accounts, robots, events, tags that moved often, deliveries of webhooks, a year of storage, and what the workers would have counted.
/// </summary>
public static class ScalePages
{
    public const int Repositories = 10_000, Namespaces = 200;

    /// <summary>A tag of <see cref="ScaleDatabase.Large"/> that moved a thousand times.</summary>
    public const string MovedTag = "t1";

    /// <summary>An account of which there are many events.</summary>
    public const string Busy = "user7";

    public static async Task FillAsync(ScaleDatabase scale)
    {
        await scale.ExecuteAsync(
            $"""
             INSERT INTO namespaces (name, visibility) SELECT 'team' || i, CASE WHEN i % 4 = 0 THEN 'public' ELSE 'private' END FROM generate_series(1, {Namespaces}) i;
             INSERT INTO repositories (name, namespace_id)
                 SELECT n.name || '/' || (ARRAY['api', 'web', 'worker', 'tools', 'base'])[i % 5 + 1] || '-' || i, n.id
                 FROM generate_series(1, {Repositories}) i JOIN namespaces n ON n.name = 'team' || (i % {Namespaces} + 1);
             INSERT INTO blob_links (repository_id, digest, suspect_since) SELECT r.id, b.digest, NULL FROM repositories r
                 CROSS JOIN LATERAL (SELECT 'sha256:' || encode(sha256(convert_to('blob ' || (r.id % {scale.Blobs} + 1), 'UTF8')), 'hex') AS digest) b WHERE r.name LIKE 'team%';
             INSERT INTO manifests (repository_id, digest, media_type, payload)
                 SELECT r.id, 'sha256:' || encode(sha256(p.payload), 'hex'), '{MediaTypes.OciManifest}', p.payload FROM repositories r
                 CROSS JOIN LATERAL (SELECT convert_to('{"{"}"schemaVersion":2,"mediaType":"{MediaTypes.OciManifest}","of":"' || r.name || '"{"}"}', 'UTF8') AS payload) p
                 WHERE r.name LIKE 'team%';
             INSERT INTO tags (repository_id, name, manifest_digest) SELECT repository_id, 'latest', m.digest FROM manifests m
                 JOIN repositories r ON r.id = m.repository_id WHERE r.name LIKE 'team%';
             INSERT INTO tag_history (repository_id, name, manifest_digest, account)
                 SELECT t.repository_id, t.name, t.manifest_digest, '{Busy}' FROM tags t JOIN repositories r ON r.id = t.repository_id
                 CROSS JOIN generate_series(1, 1000) WHERE r.name = '{ScaleDatabase.Large}' AND t.name = '{MovedTag}';
             INSERT INTO accounts (name, security_stamp, display_name, email)
                 SELECT 'user' || i, gen_random_uuid(), 'User ' || i, 'user' || i || '@example.com' FROM generate_series(1, 1000) i;
             INSERT INTO accounts (name, security_stamp, kind, namespace_id)
                 SELECT 'robot.' || name || '.ci', gen_random_uuid(), 'robot', id FROM namespaces WHERE name LIKE 'team%';
             INSERT INTO readmes (repository_id, markdown) SELECT id, repeat('# A repository' || chr(10) || chr(10) || 'Some *text* about it.' || chr(10) || chr(10), 100)
                 FROM repositories WHERE name LIKE 'scale/%';
             """);
        // As the followers and workers would: nothing is left for them to do.
        await scale.ExecuteAsync(
            $"""
             INSERT INTO repository_statistics (repository_id, size, own, reclaimable, manifests, tags, pushed_at, pulled_at, counted_at, stale_since)
                 SELECT id, id * 7919 % 100000000, id % 1000, 0, 1, 1, now() - id * interval '1 minute', CASE WHEN id % 3 > 0 THEN now() - id % 1000 * interval '1 hour' END, now(), NULL
                 FROM repositories ON CONFLICT (repository_id) DO UPDATE SET counted_at = now(), stale_since = NULL, size = excluded.size, pushed_at = excluded.pushed_at;
             UPDATE repository_statistics s SET manifests = {scale.Manifests}, tags = {scale.Tags}, size = 5e12 FROM repositories r
                 WHERE r.id = s.repository_id AND r.name = '{ScaleDatabase.Large}';
             INSERT INTO tag_pulls (repository_id, name, pulled_at, pulls, size)
                 SELECT repository_id, name, CASE WHEN length(name) > 3 THEN now() - length(name) * interval '1 day' ELSE '-infinity' END, 0, 30000000 FROM tags ON CONFLICT DO NOTHING;
             INSERT INTO manifest_facts (repository_id, digest, size, platforms, account, pushed_at, due_at)
                 SELECT repository_id, digest, 30000000, ARRAY['linux/amd64'], '{Busy}', created_at, NULL FROM manifests
                 ON CONFLICT (repository_id, digest) DO UPDATE SET due_at = NULL;
             INSERT INTO events (at, kind, repository, tag, account, namespace, pending)
                 SELECT now() - i * interval '1 second', (ARRAY['push', 'push', 'push', 'manifest.delete', 'denied'])[i % 5 + 1], '{ScaleDatabase.Large}', 't' || i,
                     'user' || (i % 50 + 1), 'scale', false FROM generate_series(1, {scale.Blobs}) i;
             INSERT INTO webhooks (namespace_id, name, url, format, kinds, secret, active)
                 SELECT id, 'deploy', 'https://example.com/hook', 'cloudevents', ARRAY['push'], '\x00', false FROM namespaces;
             INSERT INTO webhook_deliveries (webhook_id, kind, content_type, body, state, attempts, due_at, status)
                 SELECT w.id, 'push', 'application/json', '{"{}"}', 'delivered', 1, NULL, 200 FROM webhooks w JOIN namespaces n ON n.id = w.namespace_id
                 CROSS JOIN generate_series(1, {scale.Blobs / 10}) WHERE n.name = 'scale';
             INSERT INTO layer_listings (digest, state, version, error) SELECT digest, 'failed', 1000000, 'no bytes' FROM blobs WHERE size > 5 LIMIT {scale.Blobs / 5};
             INSERT INTO layer_pages (digest, first, page) SELECT digest, '', '' FROM layer_listings;
             INSERT INTO storage_samples (at, blobs, bytes, doomed) SELECT now() - i * interval '1 hour', 1000 * i, 1000000000 * i::bigint, i FROM generate_series(1, 8760) i;
             """);
        await scale.ExecuteAsync("VACUUM ANALYZE");
    }
}
