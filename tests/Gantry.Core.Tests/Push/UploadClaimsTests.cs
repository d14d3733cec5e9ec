using Gantry.Core.Data;
using Gantry.Core.Push;
using Gantry.Oci;
using Gantry.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gantry.Core.Tests.Push;

/// <summary>One writer an upload, whichever node it asks.</summary>
public sealed class UploadClaimsTests : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly RepositoryName Repository = RepositoryName.Parse("acme/app");
    private readonly List<Node> _nodes = [];
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync() => _database = await TestDatabase.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes) await node.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Take_WhileAnotherRequestHasIt_IsRefusedOnEveryNode()
    {
        var (one, other) = (await StartAsync(), await StartAsync());
        var upload = await UploadAsync();
        var claim = await one.Claims.TryTakeAsync(Repository, upload, None);
        Assert.NotNull(claim);

        Assert.Null(await one.Claims.TryTakeAsync(Repository, upload, None));
        Assert.Null(await other.Claims.TryTakeAsync(Repository, upload, None));

        await one.Claims.ReleaseAsync(claim, isFree: false);
        Assert.Equal(claim.Epoch + 1, (await other.Claims.TryTakeAsync(Repository, upload, None))?.Epoch);
    }

    [Fact]
    public async Task Take_OfWhatAGoneNodeHad_SucceedsAtOnce_AndCountsTheWriter()
    {
        var (gone, other) = (await StartAsync(), await StartAsync());
        var upload = await UploadAsync();
        var lost = (await gone.Claims.TryTakeAsync(Repository, upload, None))!;
        await gone.DisposeAsync();

        var claim = await other.Claims.TryTakeAsync(Repository, upload, None);

        Assert.Equal(lost.Epoch + 1, claim?.Epoch);
        // What the gone one still does names its own epoch.
        await gone.Claims.ReleaseAsync(lost, isFree: false);
        Assert.Null(await other.Claims.TryTakeAsync(Repository, upload, None));
        Assert.NotNull(await _database.DataSource.CreateCommand("SELECT writer FROM upload_sessions").ExecuteScalarAsync() as int?);
    }

    [Fact]
    public async Task Take_WhileTheDatabaseCutTheHoldersConnection_IsTheOthers()
    {
        var (cut, other) = (await StartAsync(), await StartAsync());
        var upload = await UploadAsync();
        Assert.NotNull(await cut.Claims.TryTakeAsync(Repository, upload, None));
        var number = await cut.Presence.NumberAsync(None);

        await EndSessionsAsync(number);
        while (await cut.Presence.NumberAsync(None) == number) await Task.Yield();

        Assert.NotNull(await other.Claims.TryTakeAsync(Repository, upload, None));
    }

    [Fact]
    public async Task Take_OfWhatItCouldNotGiveBack_IsTheSameNodesAgain()
    {
        var node = await StartAsync();
        var upload = await UploadAsync();
        var claim = (await node.Claims.TryTakeAsync(Repository, upload, None))!;
        await node.Claims.ReleaseAsync(claim, isFree: true); // said to be free; the row says otherwise

        Assert.Equal(claim.Epoch + 1, (await node.Claims.TryTakeAsync(Repository, upload, None))?.Epoch);
    }

    [Fact]
    public async Task Take_ByManyAtOnce_HasOneWinner()
    {
        var nodes = new[] { await StartAsync(), await StartAsync(), await StartAsync() };
        for (var round = 0; round < 20; round++)
        {
            var upload = await UploadAsync();
            var claims = await Task.WhenAll(Enumerable.Range(0, 12)
                .Select(index => Task.Run(() => nodes[index % 3].Claims.TryTakeAsync(Repository, upload, None))));
            Assert.Single(claims, claim => claim is not null);
        }
    }

    [Fact]
    public async Task Take_OfAnotherRepositorysUpload_OrOfNone_IsNull()
    {
        var node = await StartAsync();
        Assert.Null(await node.Claims.TryTakeAsync(RepositoryName.Parse("acme/other"), await UploadAsync(), None));
        Assert.Null(await node.Claims.TryTakeAsync(Repository, Guid.CreateVersion7(), None));
    }

    private async Task<Node> StartAsync()
    {
        var node = await Node.StartAsync(_database.ConnectionString);
        _nodes.Add(node);
        return node;
    }

    private async Task<Guid> UploadAsync()
    {
        var id = Guid.CreateVersion7();
        await using var insert = _database.DataSource.CreateCommand(
            $"INSERT INTO upload_sessions (id, repository, algorithm, expires_at) VALUES ('{id}', '{Repository}', 'sha256', now() + interval '1 hour')");
        await insert.ExecuteNonQueryAsync();
        return id;
    }

    private async Task EndSessionsAsync(int number)
    {
        await using var end = _database.DataSource.CreateCommand(
            $"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = {NodePresence.LockClass} AND objid = {number}");
        await end.ExecuteNonQueryAsync();
    }

    /// <summary>What a server process has of it.</summary>
    private sealed class Node : IAsyncDisposable
    {
        private readonly NpgsqlDataSource _source;
        private bool _ended;

        private Node(NpgsqlDataSource source)
        {
            _source = source;
            Presence = new NodePresence(source, TimeProvider.System, NullLogger<NodePresence>.Instance);
            Claims = new UploadClaims(source, Presence, NullLogger<UploadClaims>.Instance);
        }

        public NodePresence Presence { get; }

        public UploadClaims Claims { get; }

        public static async Task<Node> StartAsync(string connection)
        {
            var node = new Node(NpgsqlDataSource.Create(connection));
            await node.Presence.StartAsync(None);
            await node.Presence.NumberAsync(None);
            return node;
        }

        public async ValueTask DisposeAsync()
        {
            if (_ended) return;
            _ended = true;
            await Presence.StopAsync(None);
            Presence.Dispose();
            _source.Clear();
        }
    }
}
