using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Server.Tests.Faults;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Nodes;

/// <summary>What several nodes do once, and what all of them must hear of.</summary>
[Collection(nameof(SeveralNodes))]
[Trait("Speed", "Slow")]
public sealed partial class NodeWorkTests
{
    /// <summary>Changes of access reach every node within two seconds: the rule itself (DESIGN 3.9), not a guess about speed.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task NodesStartedAtOnce_OnAnEmptyDatabase_MigrateOnceAndServe()
    {
        await using var cluster = await NodeCluster.StartAsync(Backend.FileSystem, 3, isEmpty: true);
        var applied = cluster.Nodes.Sum(node => Applied().Count(node.Process.Output));
        Assert.Equal(await cluster.CountAsync("SELECT count(*) FROM schema_migrations"), applied);
        for (var number = 0; number < 3; number++)
        {
            var digest = await cluster.Nodes[number].Client.PushBlobAsync("nodes/first", [1, 2, (byte)number]);
            Assert.NotNull(await cluster.Nodes[(number + 1) % 3].Client.FindBlobAsync("nodes/first", digest));
        }
    }

    [Theory]
    [InlineData(Backend.FileSystem)]
    [InlineData(Backend.S3)]
    public async Task Garbage_IsCollectedByOneOfTheNodes(Backend backend)
    {
        const int Blobs = 120;
        await using var cluster = await NodeCluster.StartAsync(backend, 3, isEmpty: false, "Gc:Grace=00:00:00", "Gc:ByteDelay=00:00:00");
        await Task.WhenAll(cluster.Nodes.SelectMany(node => Enumerable.Range(0, Blobs / 3)
            .Select(_ => node.Client.PushBlobAsync("nodes/garbage", UploadSteps.NewContent(100)))));

        await UploadSteps.UntilAsync(async () =>
            await cluster.CountAsync("SELECT (SELECT count(*) FROM blobs) + (SELECT count(*) FROM doomed_locations)") == 0, "everything is collected");
        Assert.Empty(await cluster.Bytes.ListAsync());

        // A run tells what it did once it is over: the one that took the links may end after the one that took the rest.
        string[] kinds = ["links", "blobs", "locations"];
        await UploadSteps.UntilAsync(() => Task.FromResult(kinds.All(kind => Told(kind) >= Blobs)), "the nodes have told");
        Assert.All(kinds, kind => Assert.Equal(Blobs, Told(kind)));

        int Told(string what) => cluster.Nodes.Sum(node => Counts().Matches(node.Process.Output)
            .Where(match => match.Groups[2].Value == what).Sum(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task ChangesOfAccess_ReachEveryNodeWithinTwoSeconds()
    {
        await using var cluster = await NodeCluster.StartAsync(Backend.FileSystem, 3, isEmpty: false, "Access:Anonymous=Pull");
        await using var hand = GantryServer.Create([.. cluster.SettingsOf("hand"), "--Logging:LogLevel:Default=Error"]);
        await hand.StartDatabaseAsync(beside: false, default);
        var rules = new Rules(hand.App.Services);
        await rules.CreateAccountAsync("alice", "alice's password");
        await rules.AddNamespaceAsync("acme");
        await rules.SetRoleAsync("acme", "alice", NamespaceRole.Writer);
        await EverywhereAsync(cluster, node => PushAsync(node, "alice's password"), HttpStatusCode.Accepted);

        await rules.SetRoleAsync("acme", "alice", NamespaceRole.Reader);
        await EverywhereAsync(cluster, node => PushAsync(node, "alice's password"), HttpStatusCode.Forbidden);
        await rules.SetRoleAsync("acme", "alice", NamespaceRole.Writer);
        await EverywhereAsync(cluster, node => PushAsync(node, "alice's password"), HttpStatusCode.Accepted);

        Assert.NotNull(await rules.Get<Accounts>().ResetPasswordAsync(AccountName.Parse("alice"), "another password", Actor.Console));
        await EverywhereAsync(cluster, node => PushAsync(node, "alice's password"), HttpStatusCode.Unauthorized);
        await EverywhereAsync(cluster, node => PushAsync(node, "another password"), HttpStatusCode.Accepted);

        await rules.SetDisabledAsync("alice");
        await EverywhereAsync(cluster, node => PushAsync(node, "another password"), HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task SigningKeyThatOneNodeUsesFirst_IsGoodOnAllWithinTwoSeconds()
    {
        await using var cluster = await NodeCluster.StartAsync(Backend.FileSystem, 3, isEmpty: false);
        using var old = await BearerAsync(cluster.Nodes[0].Client);
        await EverywhereAsync(cluster, node => PullAsync(node, old), HttpStatusCode.NotFound);

        // A key that has settled, which the running nodes have not read: one that starts now signs with it.
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await cluster.ExecuteAsync("UPDATE signing_keys SET created_at = now() - interval '1 hour'");
        await cluster.ExecuteAsync($"INSERT INTO signing_keys (id, private_key, created_at) VALUES ('rotated', '\\x{Convert.ToHexString(pair.ExportPkcs8PrivateKey())}', now() - interval '10 minutes')");
        await cluster.Nodes[2].KillAsync();
        await cluster.Nodes[2].StartAsync();
        using var token = await BearerAsync(cluster.Nodes[2].Client);
        Assert.Contains("rotated", HeaderOf(token), StringComparison.Ordinal);
        await EverywhereAsync(cluster, node => PullAsync(node, token), HttpStatusCode.NotFound);
        await EverywhereAsync(cluster, node => PullAsync(node, old), HttpStatusCode.NotFound);
    }

    [GeneratedRegex("Applied migration ")]
    private static partial Regex Applied();

    [GeneratedRegex("(\\d+) (links|blobs|locations)\\b")]
    private static partial Regex Counts();

    private static async Task EverywhereAsync(NodeCluster cluster, Func<Node, Task<HttpStatusCode>> askAsync, HttpStatusCode wanted)
    {
        var since = TimeProvider.System.GetTimestamp();
        foreach (var node in cluster.Nodes)
        {
            while (await askAsync(node) is var status && status != wanted)
                Assert.True(TimeProvider.System.GetElapsedTime(since) < Bound, $"{node.Name} still answers {status}");
        }
    }

    private static async Task<HttpStatusCode> PushAsync(Node node, string password)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/acme/app/blobs/uploads/");
        request.Headers.Authorization = RegistryServer.Basic("alice", password);
        using var answer = await node.Client.SendAsync(request);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> PullAsync(Node node, HttpRequestMessage token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/acme/app/manifests/none");
        request.Headers.Authorization = token.Headers.Authorization;
        using var answer = await node.Client.SendAsync(request);
        return answer.StatusCode;
    }

    private static async Task<HttpRequestMessage> BearerAsync(HttpClient node)
    {
        using var login = new HttpRequestMessage(HttpMethod.Get, "/token?scope=repository:acme/app:pull");
        login.Headers.Authorization = RegistryServer.Basic("admin", RegistryServer.Password);
        using var answer = await node.SendAsync(login);
        using var reply = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        var request = new HttpRequestMessage();
        request.Headers.Authorization = new("Bearer", reply.RootElement.GetProperty("token").GetString());
        return request;
    }

    private static string HeaderOf(HttpRequestMessage token)
    {
        var part = token.Headers.Authorization!.Parameter!.Split('.')[0].Replace('-', '+').Replace('_', '/');
        return System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(part.PadRight((part.Length + 3) / 4 * 4, '=')));
    }

    private sealed record Rules(IServiceProvider Services) : IAccessRules;
}
