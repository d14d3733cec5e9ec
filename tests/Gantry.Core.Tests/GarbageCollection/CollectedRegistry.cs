using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Core.GarbageCollection;
using Gantry.Core.Pull;
using Gantry.Core.Push;
using Gantry.Core.Removal;
using Gantry.Oci;
using Gantry.Storage;
using Gantry.Storage.FileSystem;
using Gantry.TestKit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Gantry.Core.Tests.GarbageCollection;

/// <summary>
/// The rules on a database and a folder of their own, without HTTP and without workers: things are pushed and removed by the
/// flows that do it in the server, time is made to pass by moving what the database remembers into the past.
/// </summary>
internal sealed class CollectedRegistry : IAsyncDisposable
{
    public static readonly Actor Nobody = new(null, null, null);

    // In memory where there is such a place: on a disk the store's 512 folders would be most of a test's time.
    private readonly DirectoryInfo _root = Directory.Exists("/dev/shm")
        ? Directory.CreateDirectory($"/dev/shm/gantry-test-{Guid.NewGuid():N}") : Directory.CreateTempSubdirectory("gantry-test-");
    private readonly ServiceProvider _services;

    private CollectedRegistry(TestDatabase database, string[] settings)
    {
        Database = database;
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Access:Anonymous"] = "Full", ["Gc:ByteDelay"] = "00:00:00" })
            .AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2)).ToDictionary(pair => pair[0], pair => (string?)pair[1]))
            .Build();
        var layout = FileSystemLayout.Prepare(new FileSystemOptions { Root = _root.FullName });
        _services = new ServiceCollection().AddLogging()
            .AddGantryCore(configuration).AddAccessRules(configuration)
            .AddSingleton(database.DataSource)
            .AddSingleton<IBlobStore>(new FileSystemBlobStore(layout)).AddSingleton<IUploadStaging>(new FileSystemUploadStaging(layout))
            .ConfigureDbContext<RegistryDbContext>(options => options.AddInterceptors(Pauses.Commands, Pauses.Commits))
            .BuildServiceProvider();
    }

    public TestDatabase Database { get; }

    /// <summary>Stops flows between two of their statements.</summary>
    public Pauses Pauses { get; } = new();

    public IDbContextFactory<RegistryDbContext> Contexts => Get<IDbContextFactory<RegistryDbContext>>();

    public string Store => _root.FullName;

    public static async Task<CollectedRegistry> CreateAsync(params string[] settings) => new(await TestDatabase.CreateAsync(), settings);

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public async Task<Digest> PushBlobAsync(string repository, byte[] content)
    {
        var (name, digest) = (RepositoryName.Parse(repository), Digest.Of(content));
        var upload = await Get<UploadSessions>().StartAsync(name, DigestAlgorithm.Sha256, null, default);
        await Get<BlobCommit>().CloseAsync(name, upload.Id, digest, null, PipeReader.Create(new ReadOnlySequence<byte>(content)), Nobody, default);
        return digest;
    }

    public Task<Digest> PushBlobAsync(string repository, string content) => PushBlobAsync(repository, Encoding.UTF8.GetBytes(content));

    /// <summary>An image and all it needs; each layer is the text's bytes.</summary>
    public async Task<Digest> PushImageAsync(string repository, string? tag, params string[] layers)
    {
        await PushBlobAsync(repository, RegistryClient.EmptyConfig);
        foreach (var layer in layers) await PushBlobAsync(repository, layer);
        return await PushManifestAsync(repository, tag, Image(layers));
    }

    public Task<Digest> PushIndexAsync(string repository, string? tag, params Digest[] children) => PushManifestAsync(
        repository, tag, RegistryClient.IndexJson([.. children.Select(child => (MediaTypes.OciManifest, child, 1L))]), MediaTypes.OciIndex);

    public async Task<Digest> PushManifestAsync(string repository, string? tag, string json, string mediaType = MediaTypes.OciManifest)
    {
        var payload = Encoding.UTF8.GetBytes(json);
        var digest = Digest.Of(payload);
        await Get<ManifestPush>().PushAsync(RepositoryName.Parse(repository), new ManifestToPush(
            digest, payload, ManifestDocument.Parse(payload, mediaType), tag is null ? [] : [TagName.Parse(tag)]), Nobody, default);
        return digest;
    }

    public static string Image(params string[] layers) => RegistryClient.ImageJson([.. layers.Select(Encoding.UTF8.GetBytes)]);

    public Task<bool> DeleteManifestAsync(string repository, Digest digest) =>
        Get<ContentRemoval>().RemoveManifestAsync(RepositoryName.Parse(repository), digest, Nobody, default);

    public Task<bool> DeleteTagAsync(string repository, string tag) =>
        Get<ContentRemoval>().RemoveTagAsync(RepositoryName.Parse(repository), TagName.Parse(tag), Nobody, default);

    public Task<bool> DeleteBlobAsync(string repository, Digest digest) =>
        Get<ContentRemoval>().RemoveBlobAsync(RepositoryName.Parse(repository), digest, Nobody, default);

    public Task<bool> MountAsync(string repository, Digest digest, string from) => Get<BlobMount>().TryMountAsync(
        RepositoryName.Parse(repository), digest, RepositoryName.Parse(from), new PolicyCaller(Get<AccessPolicy>(), null, null), Nobody, default);

    public Task<Restored?> RestoreManifestAsync(string repository, Digest digest) =>
        Get<ContentRestore>().RestoreManifestAsync(RepositoryName.Parse(repository), digest, Nobody, default);

    public Task<Restored?> RestoreTagAsync(string repository, string tag) =>
        Get<ContentRestore>().RestoreTagAsync(RepositoryName.Parse(repository), TagName.Parse(tag), Nobody, default);

    public Task<Restored?> RestoreBlobAsync(string repository, Digest digest) =>
        Get<ContentRestore>().RestoreBlobAsync(RepositoryName.Parse(repository), digest, Nobody, default);

    /// <summary>The blob's bytes as the repository serves them; null where it has none.</summary>
    public async Task<byte[]?> ReadBlobAsync(string repository, Digest digest)
    {
        var pull = Get<BlobPull>();
        if (await pull.FindAsync(RepositoryName.Parse(repository), digest, renew: false, default) is not { } blob) return null;
        await using var reader = await pull.OpenAsync(blob, null, default);
        using var bytes = new MemoryStream();
        var pipe = PipeWriter.Create(bytes, new StreamPipeWriterOptions(leaveOpen: true));
        await reader.CopyToAsync(pipe, 0, reader.Length, default);
        await pipe.CompleteAsync();
        return bytes.ToArray();
    }

    /// <summary>The manifest by tag or digest, as it is served.</summary>
    public async Task<StoredManifest?> FindManifestAsync(string repository, string reference) =>
        await Get<ManifestPull>().GetAsync(RepositoryName.Parse(repository), Reference.TryParse(reference, out var parsed) ? parsed : default, default);

    /// <summary>Lets time pass for everything that is there.</summary>
    public async Task AgeAsync(TimeSpan by)
    {
        await using var command = Database.DataSource.CreateCommand(
            """
            WITH links AS (UPDATE blob_links SET touched_at = touched_at - $1, deleted_at = deleted_at - $1, suspect_since = suspect_since - $1),
            manifests AS (UPDATE manifests SET created_at = created_at - $1, touched_at = touched_at - $1, deleted_at = deleted_at - $1,
                suspect_since = suspect_since - $1),
            history AS (UPDATE tag_history SET at = at - $1),
            uploads AS (UPDATE upload_sessions SET expires_at = expires_at - $1),
            cursors AS (UPDATE work_cursors SET due_at = due_at - $1)
            UPDATE doomed_locations SET delete_after = delete_after - $1
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = by });
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Past the grace of everything that is there.</summary>
    public Task AgeAsync() => AgeAsync(TimeSpan.FromDays(2));

    /// <summary>All reviews until nothing is left to do, as a run of the collector does them.</summary>
    public async Task ReviewAsync()
    {
        await UntilIdleAsync(Get<ManifestReview>().ReviewAsync);
        await UntilIdleAsync(Get<LinkReview>().ReviewAsync);
        await UntilIdleAsync(Get<BlobReview>().ReviewAsync);

        static async Task UntilIdleAsync(Func<int, CancellationToken, Task<Reviewed>> review)
        {
            while ((await review(100, default)).GoOn) continue;
        }
    }

    public async Task<T> ScalarAsync<T>(string sql, params object[] values)
    {
#pragma warning disable CA2100 // statements of the tests
        await using var command = Database.DataSource.CreateCommand(sql);
#pragma warning restore CA2100
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        return await command.ExecuteScalarAsync() is T found ? found : default!;
    }

    /// <summary>How many rows manifests, links and blobs have, in this order.</summary>
    public Task<string> RowsAsync() => ScalarAsync<string>(
        "SELECT (SELECT count(*) FROM manifests) || ' ' || (SELECT count(*) FROM blob_links) || ' ' || (SELECT count(*) FROM blobs)");

    /// <summary>What the store has of uploads and blobs.</summary>
    public IEnumerable<string> Files() =>
        Directory.EnumerateFiles(Store, "*", SearchOption.AllDirectories).Where(path => Path.GetFileName(path) != "owner");

    /// <summary>Waits until so many of the flows wait for another's lock.</summary>
    public async Task WaitersAsync(int count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await ScalarAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") != count)
        {
            Assert.False(limit.IsCancellationRequested, $"{count} waiters");
            await Task.Delay(5);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await Database.DisposeAsync();
        _root.Delete(recursive: true);
    }
}
