using System.Net;
using Gantry.TestKit;
using Npgsql;

namespace Gantry.Server.Tests.V2;

/// <summary>What probes ask, without a login.</summary>
[Trait("Speed", "Slow")]
public sealed class HealthTests
{
    [Fact]
    public async Task LiveAndReady_NeedNoLogin()
    {
        await using var server = await RegistryServer.StartAsync();
        using var nobody = server.Client(account: null);
        Assert.Equal("Healthy", await nobody.GetStringAsync("/healthz/live"));
        var ready = await nobody.GetJsonAsync("/healthz/ready", "application/json; charset=utf-8");
        Assert.Equal(["database", "storage"], ready.EnumerateObject().Select(part => part.Name).Order());
        Assert.All(ready.EnumerateObject(), part => Assert.Equal("Healthy", part.Value.GetString()));
    }

    [Fact]
    public async Task StoreAway_IsNotReady_AndIsAgainWhenItIsBack()
    {
        await using var server = await RegistryServer.StartAsync();
        using var client = server.Client();

        await TakeStoreAwayAsync(server);
        using (var ready = await client.GetAsync("/healthz/ready"))
        {
            ready.AssertStatus(HttpStatusCode.ServiceUnavailable);
            Assert.Equal("""{"database":"Healthy","storage":"Unhealthy"}""", await ready.Content.ReadAsStringAsync());
        }

        using (var live = await client.GetAsync("/healthz/live")) live.AssertStatus(HttpStatusCode.OK);
        await BringStoreBackAsync(server);

        using (var ready = await client.GetAsync("/healthz/ready")) ready.AssertStatus(HttpStatusCode.OK);
    }

    [Fact]
    [Trait("Protocol", "D4.68")]
    public async Task DatabaseAway_Is503InTheEnvelope_AndPassesByItself()
    {
        await using var server = await RegistryServer.StartAsync();
        using var client = server.Client();
        await client.PushImageAsync("a/b", "v1");

        await AllowAsync(server, false);
        try
        {
            using (var ready = await client.GetAsync("/healthz/ready")) ready.AssertStatus(HttpStatusCode.ServiceUnavailable);
            using (var live = await client.GetAsync("/healthz/live")) live.AssertStatus(HttpStatusCode.OK);
            foreach (var path in (string[])["manifests/v1", "tags/list", $"blobs/{Oci.Digest.Of(RegistryClient.EmptyConfig)}"])
            {
                using var get = await client.GetAsync($"/v2/a/b/{path}");
                await get.AssertErrorAsync(HttpStatusCode.ServiceUnavailable, "UNAVAILABLE");
                Assert.Matches("^[0-9]+$", get.RawHeader("Retry-After"));
            }
        }
        finally
        {
            await AllowAsync(server, true);
        }

        using (var ready = await client.GetAsync("/healthz/ready")) ready.AssertStatus(HttpStatusCode.OK);
        using (var get = await client.GetAsync("/v2/a/b/manifests/v1")) get.AssertStatus(HttpStatusCode.OK);
    }

    private static async Task AllowAsync(RegistryServer server, bool connections)
    {
        var name = new NpgsqlConnectionStringBuilder(server.ConnectionString).Database!;
        var elsewhere = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = "postgres", Pooling = false }.ConnectionString;
        await using var connection = new NpgsqlConnection(elsewhere);
        await connection.OpenAsync();
#pragma warning disable CA2100 // a name made by the tests
        // By itself, so that it is committed: a connection that was just being made would outlive the others.
        await using (var allow = new NpgsqlCommand($"ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS {connections}", connection)) await allow.ExecuteNonQueryAsync();
        await using var end = new NpgsqlCommand($"SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE datname = '{name}'", connection);
#pragma warning restore CA2100
        while (!connections && await end.ExecuteScalarAsync() is > 0L)
        {
        }
    }

    // Of the S3 that all tests share the bucket alone, which nothing was pushed to.
    private static async Task TakeStoreAwayAsync(RegistryServer server)
    {
        if (server.Bucket is not { } bucket)
        {
            Directory.Move(Path.Combine(server.DataRoot, "blobs"), Path.Combine(server.DataRoot, "aside"));
            return;
        }

        using var client = bucket.Connect();
        foreach (var key in (await bucket.ListAsync()).Keys) await client.DeleteObjectAsync(bucket.Name, key);
        await client.DeleteBucketAsync(bucket.Name);
    }

    private static async Task BringStoreBackAsync(RegistryServer server)
    {
        if (server.Bucket is not { } bucket)
        {
            Directory.Move(Path.Combine(server.DataRoot, "aside"), Path.Combine(server.DataRoot, "blobs"));
            return;
        }

        using var client = bucket.Connect();
        await client.PutBucketAsync(bucket.Name);
    }
}
