using Gantry.Core.Data;
using Gantry.Core.Scrub;
using Gantry.Oci;
using Gantry.Server.Tests.V2;
using Gantry.Storage;
using Gantry.TestKit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gantry.Server.Tests.Scrub;

/// <summary>A server that scrubs only when a test says so, on files that the test spoils.</summary>
public sealed class ScrubRegistry : IAsyncLifetime
{
    private int _repositories;

    public RegistryServer Server { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    internal BlobScrub Scrub => Server.Services.GetRequiredService<BlobScrub>();

    internal IBlobStore Store => Server.Services.GetRequiredService<IBlobStore>();

    public string NewRepository() => $"scrub/repository-{Interlocked.Increment(ref _repositories)}";

    /// <summary>Another node's, on a store that misbehaves.</summary>
    internal BlobScrub ScrubOn(IBlobStore store, ScrubOptions? options = null, TimeProvider? time = null)
    {
        var contexts = Server.Services.GetRequiredService<IDbContextFactory<RegistryDbContext>>();
        var settings = Options.Create(options ?? new ScrubOptions { BytesPerSecond = 1L << 40 });
        time ??= TimeProvider.System;
        return new BlobScrub(contexts, new BlobReading(store, new ScrubPace(settings, time)), new StoreCheck(contexts, store), settings, time,
            Server.Services.GetRequiredService<ILogger<BlobScrub>>());
    }

    public Task DueAsync(params Digest[] digests) => ExecuteAsync(
        "UPDATE blobs SET scrub_at = now() - interval '1 second' WHERE digest = ANY($1)",
        (object)digests.Select(digest => digest.ToString()).ToArray());

    public async Task<FileInfo> FileAsync(Digest digest) => new(Path.Combine(Server.DataRoot, "blobs",
        (await Server.QueryAsync<string>("SELECT location FROM blobs WHERE digest = $1", digest.ToString()))!));

    public Task<bool> IsQuarantinedAsync(Digest digest) =>
        Server.QueryAsync<bool>("SELECT quarantined_at IS NOT NULL FROM blobs WHERE digest = $1", digest.ToString());

    /// <summary>The details of the blob's events of this kind.</summary>
    public async Task<string[]> EventsAsync(string kind, Digest digest) => (await Server.QueryAsync<string[]>(
        "SELECT coalesce(array_agg(detail ORDER BY id), '{}') FROM events WHERE kind = $1 AND digest = $2", kind, digest.ToString()))!;

    public async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var database = NpgsqlDataSource.Create(Server.ConnectionString);
#pragma warning disable CA2100 // written in the tests
        await using var command = database.CreateCommand(sql);
#pragma warning restore CA2100
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask InitializeAsync()
    {
        Server = await RegistryServer.StartAsync("Scrub:Enabled=false", "Scrub:BytesPerSecond=1099511627776");
        Client = Server.Client();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }
}

/// <summary>What can happen to a file while nobody looks.</summary>
internal static class Rot
{
    public static void Flip(FileInfo file)
    {
        using var stream = file.Open(FileMode.Open, FileAccess.ReadWrite);
        stream.Position = file.Length / 2;
        var value = stream.ReadByte();
        stream.Position--;
        stream.WriteByte((byte)(value ^ 1));
    }

    public static void Do(string what, FileInfo file)
    {
        switch (what)
        {
            case "a flipped bit":
                Flip(file);
                break;
            case "cut off":
                using (var cut = file.OpenWrite()) cut.SetLength(file.Length - 1);
                break;
            case "grown":
                using (var grown = file.Open(FileMode.Append)) grown.WriteByte(0);
                break;
            case "gone":
                file.Delete();
                break;
            default:
                throw new ArgumentException(what, nameof(what));
        }
    }
}
