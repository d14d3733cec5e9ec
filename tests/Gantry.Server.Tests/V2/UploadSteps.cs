using System.Net;
using Gantry.Oci;
using Gantry.Storage;
using Gantry.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Gantry.Server.Tests.V2;

/// <summary>An upload request by request, and what the server keeps of it.</summary>
internal static class UploadSteps
{
    /// <summary>Bytes that no other test has, so that no other test has their digest.</summary>
    public static byte[] NewContent(int length)
    {
        var content = new byte[length];
        Random.Shared.NextBytes(content);
        return content;
    }

    public static Task<HttpResponseMessage> SendChunkAsync(this HttpClient client, string location, byte[] chunk,
        string? contentRange = null) =>
        client.PatchAsync(location, Content(chunk, contentRange));

    public static Task<HttpResponseMessage> CloseAsync(this HttpClient client, string location, Digest digest,
        byte[]? last = null, string? contentRange = null) =>
        client.PutAsync(RegistryClient.WithDigest(location, digest), Content(last ?? [], contentRange));

    /// <summary>The <c>Range</c> that the status of an upload states.</summary>
    public static async Task<string> RangeOfAsync(this HttpClient client, string location)
    {
        using var status = await client.GetAsync(location);
        Assert.Equal(HttpStatusCode.NoContent, status.StatusCode);
        return status.Header("Range");
    }

    public static async Task<HttpResponseMessage> HeadBlobAsync(this HttpClient client, string repository, Digest digest)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, $"/v2/{repository}/blobs/{digest}");
        return await client.SendAsync(request);
    }

    public static Guid SessionId(string location) => Guid.Parse(new Uri(new Uri("http://any"), location).Segments[^1]);

    /// <summary>More than a store gathers before it writes, so that a test can see the bytes of a running request arrive.</summary>
    public static int VisibleBytes { get; } = TestBackend.IsS3 ? 8 * 1024 * 1024 + 256 * 1024 : 768 * 1024;

    /// <summary>Whether the store has anything of the upload that is not committed.</summary>
    public static async Task<bool> IsStagedAsync(this RegistryServer server, string upload) =>
        (await server.StoredAsync(upload)).Exists(item => item.Location is null);

    /// <summary>Whether the store has a location of what the upload committed.</summary>
    public static async Task<bool> IsCommittedAsync(this RegistryServer server, string upload) =>
        (await server.StoredAsync(upload)).Exists(item => item.Location is not null);

    /// <summary>How many bytes the store has of an upload, whether or not anybody was told.</summary>
    public static async Task<long> StagedBytesAsync(this RegistryServer server, string upload) =>
        server.Bucket is { } bucket
            ? await bucket.StagedBytesAsync(SessionId(upload))
            : (await server.StoredAsync(upload)).Where(item => item.Location is null).Sum(item => item.Size);

    /// <summary>Waits for a request to be the upload's writer.</summary>
    public static Task UntilWrittenAsync(this RegistryServer server, string upload) => UntilAsync(
        () => server.QueryAsync<bool>("SELECT writer IS NOT NULL FROM upload_sessions WHERE id = $1", SessionId(upload)), "a writer");

    public static async Task<T?> QueryAsync<T>(this RegistryServer server, string sql, params object[] values)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync();
#pragma warning disable CA2100 // written in the tests
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        return await command.ExecuteScalarAsync() is T result ? result : default;
    }

    /// <summary>Waits for what another party does and tells nobody of.</summary>
    public static async Task UntilAsync(Func<Task<bool>> reachedAsync, string what)
    {
        for (var patience = 3000; !await reachedAsync(); patience--)
        {
            Assert.True(patience > 0, $"never reached: {what}");
            await Task.Delay(10);
        }
    }

    private static ByteArrayContent Content(byte[] bytes, string? contentRange)
    {
        var content = RegistryClient.Bytes(bytes);
        // The spec's form lacks the unit; the library's own header has no room for that.
        if (contentRange is not null) content.Headers.TryAddWithoutValidation("Content-Range", contentRange);
        return content;
    }

    private static async Task<List<StoredItem>> StoredAsync(this RegistryServer server, string upload)
    {
        var (session, found) = (SessionId(upload), new List<StoredItem>());
        await foreach (var item in server.Services.GetRequiredService<IBlobStore>().ListAsync(session.ToByteArray()[^1], CancellationToken.None))
        {
            if (item.SessionId == session) found.Add(item);
        }

        return found;
    }
}
