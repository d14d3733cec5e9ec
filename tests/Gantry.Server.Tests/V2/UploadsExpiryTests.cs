using System.Net;
using Gantry.Core.GarbageCollection;
using Gantry.Core.Push;
using Gantry.Oci;
using Gantry.TestKit;
using Microsoft.Extensions.DependencyInjection;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.V2;

/// <summary>What nobody goes on with is removed; what somebody relies on stays.</summary>
public sealed class UploadsExpiryTests(RegistryFixture registry)
{
    private const string Expire = "UPDATE upload_sessions SET expires_at = now() - interval '1 second' WHERE id = $1";
    private const string AgeLinks = "UPDATE blob_links SET touched_at = now() - interval '2 hours' WHERE digest = $1";

    private readonly string _repository = registry.NewRepository();

    private HttpClient Client => registry.Client;

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [Trait("Protocol", "D2.33")]
    public async Task AbandonedUpload_IsRemovedWithItsBytes(int length)
    {
        var (abandoned, alive) = (await Client.StartUploadAsync(_repository), await Client.StartUploadAsync(_repository));
        var content = NewContent(length);
        foreach (var upload in new[] { abandoned, alive }) (await Client.SendChunkAsync(upload, content)).Dispose();
        await registry.Server.QueryAsync<object>(Expire, SessionId(abandoned));

        Assert.True((await registry.Server.Services.GetRequiredService<UploadExpiry>().ExpireAsync(100, CancellationToken.None)).Gone > 0);
        await registry.Server.Services.GetRequiredService<DoomedLocations>().SweepAsync(500, CancellationToken.None);

        Assert.False(await registry.Server.IsStagedAsync(abandoned));
        Assert.Equal(0L, await registry.Server.QueryAsync<long>(
            "SELECT count(*) FROM doomed_locations WHERE session_id = $1", SessionId(abandoned)));
        using var gone = await Client.CloseAsync(abandoned, Digest.Of(content));
        Assert.Equal((HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN"), (gone.StatusCode, await gone.ErrorCodeAsync()));
        Assert.True(length == 0 || await registry.Server.IsStagedAsync(alive));
        using var put = await Client.CloseAsync(alive, Digest.Of(content));
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    [Fact]
    [Trait("Protocol", "D2.33")]
    public async Task ManyAbandonedUploads_AreAllRemoved()
    {
        // More than one batch, without bytes: removing what is not there succeeds.
        await registry.Server.QueryAsync<object>(
            """
            INSERT INTO upload_sessions (id, repository, algorithm, expires_at)
            SELECT gen_random_uuid(), $1, 'sha256', now() - interval '1 day' FROM generate_series(1, 230)
            """, _repository);

        var expiry = registry.Server.Services.GetRequiredService<UploadExpiry>();
        while ((await expiry.ExpireAsync(1000, CancellationToken.None)).Gone > 0)
        {
        }

        Assert.Equal(0L, await registry.Server.QueryAsync<long>(
            "SELECT count(*) FROM upload_sessions WHERE repository = $1", _repository));
    }

    [Fact]
    [Trait("Protocol", "D2.33")]
    public async Task AServer_RemovesAbandonedUploadsByItself()
    {
        await using var server = await RegistryServer.StartAsync();
        string upload;
        using (var client = server.Client())
        {
            upload = await client.StartUploadAsync("a");
            (await client.SendChunkAsync(upload, NewContent(1000))).Dispose();
        }

        await server.QueryAsync<object>(Expire, SessionId(upload));
        // Its worker looks at the start and then once a minute.
        await server.RestartAsync();

        await UntilAsync(async () => !await server.IsStagedAsync(upload), "the bytes' end");
    }

    [Fact]
    [Trait("Protocol", "D2.33")]
    public async Task Patch_RenewsTheUploadsLife()
    {
        var upload = await Client.StartUploadAsync(_repository);
        await registry.Server.QueryAsync<object>(
            "UPDATE upload_sessions SET expires_at = now() + interval '1 minute' WHERE id = $1", SessionId(upload));

        (await Client.SendChunkAsync(upload, NewContent(10))).Dispose();

        Assert.True(await registry.Server.QueryAsync<bool>(
            "SELECT expires_at > now() + interval '23 hours' FROM upload_sessions WHERE id = $1", SessionId(upload)));
    }

    [Fact]
    [Trait("Protocol", "D2.33")]
    [Trait("Speed", "Slow")]
    public async Task FlowingBytes_RenewTheUploadsLifeWithinOneRequest()
    {
        // Renewed each quarter of the lifetime, whose shortest is a minute.
        await using var server = await RegistryServer.StartAsync("Push:UploadLifetime=00:01:00");
        using var client = server.Client();
        var upload = await client.StartUploadAsync("a");
        await using var connection = await RawConnection.OpenAsync(server.Address);
        await connection.SendAsync(RawConnection.Head("PATCH", upload, "Transfer-Encoding: chunked"));
        await connection.SendChunkAsync(new byte[VisibleBytes]);
        await UntilAsync(async () => await server.StagedBytesAsync(upload) > 0, "staged bytes");
        await server.QueryAsync<object>(
            "UPDATE upload_sessions SET expires_at = now() + interval '5 seconds' WHERE id = $1", SessionId(upload));

        await UntilAsync(() => server.QueryAsync<bool>(
            "SELECT expires_at > now() + interval '30 seconds' FROM upload_sessions WHERE id = $1", SessionId(upload)), "a renewal");

        await connection.SendAsync("0\r\n\r\n");
        Assert.Equal(202, (await connection.ReadAsync()).Status);
    }

    [Fact]
    [Trait("Protocol", "D2.34")]
    public async Task Head_OfAnOldBlob_RenewsItsLink()
    {
        var digest = await Client.PushBlobAsync(_repository, NewContent(100));
        await registry.Server.QueryAsync<object>(AgeLinks, digest.ToString());

        using var head = await Client.HeadBlobAsync(_repository, digest);

        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.True(await IsFreshAsync(_repository, digest));
    }

    [Fact]
    [Trait("Protocol", "D2.34")]
    public async Task MountAndPush_OfAnOldBlob_RenewItsLink()
    {
        var (content, target) = (NewContent(100), registry.NewRepository());
        var digest = await Client.PushBlobAsync(_repository, content);
        await Client.PushBlobAsync(target, content);
        await registry.Server.QueryAsync<object>(AgeLinks, digest.ToString());

        using var mount = await Client.PostAsync($"/v2/{target}/blobs/uploads/?mount={digest}&from={_repository}", null);
        Assert.Equal(HttpStatusCode.Created, mount.StatusCode);
        Assert.True(await IsFreshAsync(target, digest));

        Assert.False(await IsFreshAsync(_repository, digest));
        await Client.PushBlobAsync(_repository, content);
        Assert.True(await IsFreshAsync(_repository, digest));
    }

    [Fact]
    [Trait("Protocol", "D2.34")]
    public async Task Head_OfABlobWhoseLinkWasDeleted_Is404()
    {
        var digest = await Client.PushBlobAsync(_repository, NewContent(100));
        await registry.Server.QueryAsync<object>("UPDATE blob_links SET deleted_at = now() WHERE digest = $1", digest.ToString());

        using var head = await Client.HeadBlobAsync(_repository, digest);

        Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);
    }

    private Task<bool> IsFreshAsync(string repository, Digest digest) => registry.Server.QueryAsync<bool>(
        """
        SELECT touched_at > now() - interval '1 minute' FROM blob_links l JOIN repositories r ON r.id = l.repository_id
        WHERE r.name = $1 AND l.digest = $2
        """, repository, digest.ToString());
}
