using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gantry.TestKit;

/// <summary>
/// A PostgreSQL of its own with the metadata of a very large registry: at full size a million blobs, 200,000 manifests and
/// 100,000 tags in one repository, and beside it a repository with 100. Rows alone: no blob has bytes.
/// </summary>
public sealed class ScaleDatabase : IAsyncDisposable
{
    public const string Large = "scale/large", Small = "scale/small";

    /// <summary>What <see cref="Small"/> has of everything.</summary>
    public const int FewTags = 100;

    private const int FullTags = 100_000;

    private readonly DirectoryInfo _root;
    private readonly LocalPostgres _postgres;

    private ScaleDatabase(DirectoryInfo root, LocalPostgres postgres, double fraction)
    {
        (_root, _postgres) = (root, postgres);
        (Blobs, Manifests, Tags) = ((int)(1_000_000 * fraction), (int)(200_000 * fraction), (int)(FullTags * fraction));
    }

    public int Blobs { get; }

    public int Manifests { get; }

    /// <summary>Tag <c>t1</c> names manifest 1, and so on.</summary>
    public int Tags { get; }

    public string ConnectionString => _postgres.ConnectionString;

    /// <summary>What PostgreSQL writes, plans among it once <see cref="ExplainAsync"/> was called.</summary>
    public string LogFile => Path.Combine(_root.FullName, "postgres.log");

    /// <param name="fraction">1 is full size.</param>
    /// <param name="durable">Whether PostgreSQL waits for the disk, as it does for people.</param>
    /// <param name="folder">Where; null: the temp folder.</param>
    public static async Task<ScaleDatabase> StartAsync(double fraction, bool durable = false, string? folder = null)
    {
        var root = folder is null ? Directory.CreateTempSubdirectory("gantry-scale-") : Directory.CreateDirectory(folder);
        var postgres = await LocalPostgres.StartAsync(new LocalPostgresOptions { DataRoot = root.FullName, Durable = durable },
            NullLogger.Instance, TimeProvider.System, CancellationToken.None);
        var scale = new ScaleDatabase(root, postgres, fraction);
        await using var database = NpgsqlDataSource.Create(postgres.ConnectionString);
        await new MigrationRunner(NullLogger<MigrationRunner>.Instance).RunAsync(database, CancellationToken.None);
        await scale.FillAsync(database);
        return scale;
    }

    /// <summary>The digest of the blob with this number, from 1 on; its bytes are <c>blob N</c>.</summary>
    public static Digest Blob(int number) => Digest.Of(System.Text.Encoding.UTF8.GetBytes($"blob {number}"));

    /// <summary>
    /// Has PostgreSQL log the plan of every statement, those of foreign keys too, of sessions begun from now on. A table that is small, at less than full size, is
    /// read whole faster than by an index: there PostgreSQL is told to do so only where it has none.
    /// </summary>
    public Task ExplainAsync() => ExecuteAsync(
        """
        ALTER DATABASE gantry SET session_preload_libraries = 'auto_explain';
        ALTER DATABASE gantry SET auto_explain.log_min_duration = 0;
        ALTER DATABASE gantry SET auto_explain.log_analyze = on;
        ALTER DATABASE gantry SET auto_explain.log_buffers = on;
        ALTER DATABASE gantry SET auto_explain.log_nested_statements = on;
        ALTER DATABASE gantry SET auto_explain.log_format = json;
        ALTER DATABASE gantry SET enable_seqscan = SCANS;
        """.Replace("SCANS", Tags < FullTags ? "off" : "on", StringComparison.Ordinal).Replace("DATABASE gantry", $"DATABASE \"{new NpgsqlConnectionStringBuilder(ConnectionString).Database}\"", StringComparison.Ordinal));

    public async Task<T> QueryAsync<T>(string sql)
    {
        await using var database = NpgsqlDataSource.Create(ConnectionString);
        await using var command = database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var database = NpgsqlDataSource.Create(ConnectionString);
        await ExecuteAsync(database, sql);
    }

    public async ValueTask DisposeAsync()
    {
        await _postgres.DisposeAsync();
        _root.Delete(recursive: true);
    }

    private async Task FillAsync(NpgsqlDataSource database)
    {
        await ExecuteAsync(database,
            $"""
             INSERT INTO namespaces (name) VALUES ('scale');
             INSERT INTO repositories (name, namespace_id) SELECT n, id FROM namespaces, (VALUES ('{Large}'), ('{Small}')) v(n);
             INSERT INTO blobs (digest, size, location, scrub_at)
                 SELECT 'sha256:' || encode(sha256(convert_to('blob ' || i, 'UTF8')), 'hex'), 5 + length(i::text),
                     'blobs/' || right(md5(i::text), 2) || '/' || md5(i::text), now() + interval '30 days' FROM generate_series(1, {Blobs}) i;
             INSERT INTO doomed_locations (location, delete_after)
                 SELECT 'blobs/' || right(md5('old' || i), 2) || '/' || md5('old' || i), now() + interval '1 day' FROM generate_series(1, {Blobs / 10}) i;
             INSERT INTO upload_sessions (id, repository, algorithm, expires_at)
                 SELECT md5('upload' || i)::uuid, '{Large}', 'sha256', now() + interval '1 day' FROM generate_series(1, {Blobs / 10}) i;
             """);
        await FillAsync(database, Large, Manifests, Tags, Blobs);
        await FillAsync(database, Small, FewTags, FewTags, FewTags * 5);
        await using var vacuum = database.CreateCommand("VACUUM ANALYZE");
        vacuum.CommandTimeout = 0;
        await vacuum.ExecuteNonQueryAsync();
    }

    // The pool resets a session that comes back, and its temporary tables go.
    private static Task FillAsync(NpgsqlDataSource database, string repository, int manifests, int tags, int blobs) =>
        ExecuteAsync(database,
            $"""
             CREATE TEMP TABLE b AS
                 SELECT i, 'sha256:' || encode(sha256(convert_to('blob ' || i, 'UTF8')), 'hex') AS digest FROM generate_series(1, {blobs}) i;
             CREATE TEMP TABLE m AS SELECT i, 'sha256:' || encode(sha256(payload), 'hex') AS digest, payload FROM (
                 SELECT i, convert_to('{"{"}"schemaVersion":2,"mediaType":"{MediaTypes.OciManifest}","n":' || i || ',"pad":"' || repeat(md5(i::text), 20)
                     || '"{"}"}', 'UTF8') AS payload FROM generate_series(1, {manifests}) i) made;
             CREATE INDEX ON b (i);
             CREATE INDEX ON m (i);
             ANALYZE b; ANALYZE m;
             INSERT INTO blob_links (repository_id, digest, suspect_since) SELECT r.id, digest, NULL FROM b, repositories r WHERE r.name = '{repository}';
             INSERT INTO manifests (repository_id, digest, media_type, artifact_type, subject_digest, payload)
                 SELECT r.id, m.digest, '{MediaTypes.OciManifest}', CASE WHEN m.i % 10 = 0 THEN 'application/x.signature' END, s.digest, m.payload
                 FROM repositories r, m LEFT JOIN m s ON m.i % 10 = 0 AND s.i = m.i / 10 WHERE r.name = '{repository}';
             INSERT INTO manifest_references (repository_id, manifest_digest, blob_digest)
                 SELECT r.id, m.digest, b.digest FROM repositories r, m, generate_series(0, 4) k JOIN b ON true
                 WHERE r.name = '{repository}' AND b.i = (m.i * 5 + k) % {blobs} + 1;
             INSERT INTO tags (repository_id, name, manifest_digest)
                 SELECT r.id, 't' || i, digest FROM m, repositories r WHERE r.name = '{repository}' AND i <= {tags};
             INSERT INTO tag_history (repository_id, name, manifest_digest)
                 SELECT r.id, 't' || i, digest FROM m, repositories r WHERE r.name = '{repository}' AND i <= {tags};
             """);

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync();
    }
}
