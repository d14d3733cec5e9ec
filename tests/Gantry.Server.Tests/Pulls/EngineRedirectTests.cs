using System.Collections.Concurrent;
using Gantry.Engine.Tests.Pulls;
using Gantry.Server.Tests.Nodes;
using Gantry.TestKit;
using Microsoft.AspNetCore.Http;

namespace Gantry.Server.Tests.Pulls;

/// <summary>The engine sent on to a real S3, which refuses whoever brings a credential for us along, and hangs up half way.</summary>
[Trait("Protocol", "D4.65")]
[Trait("Speed", "Slow")]
public sealed class EngineRedirectTests
{
    [Fact]
    [Trait("Pull", "C94")]
    public async Task Pull_ThatTheStoreCuts_AsksUsForTheWayAgain_AndGoesOnWhereItWas()
    {
        await using var store = new SharedBucket(await S3Server.CreateBucketAsync());
        await using var server = await RegistryServer.StartAsync([.. store.Settings, "Storage:S3:Redirect=true"]);
        await using var front = await ReverseProxy.StartAsync(server.Address);
        using var admin = server.Client();
        var image = TestImage.OfSize(layers: 2, bytes: 3_000_000, seed: 11);
        var digest = await image.PushAsync(admin, "redirect/engine");

        var (asked, cuts) = (new ConcurrentQueue<(string Range, string Credential)>(), 0);
        store.Proxy.Faults = request =>
        {
            if (!HttpMethods.IsGet(request.Method) || !request.Query.ContainsKey("X-Amz-Signature")) return null;
            asked.Enqueue((request.Headers.Range.ToString(), request.Headers.Authorization.ToString()));
            return asked.Count > 1 && cuts++ < 3 ? ProxyFault.CutAnswer : null; // the first is the config
        };
        using var engine = new EngineClient("admin", RegistryServer.Password);
        var pulled = await engine.PullAsync(front.Address, "redirect/engine");

        Assert.Equal(digest, pulled.Image.Top.Digest);
        Assert.All(asked, request => Assert.Equal("", request.Credential));
        Assert.Equal(3, asked.Count(request => request.Range.StartsWith("bytes=", StringComparison.Ordinal) && request.Range != "bytes=0-"));
        // Each time by a new URL: the one before may have run out.
        Assert.Equal(asked.Count, front.Counts["GET /v2/redirect/engine/blobs/*"]);
    }
}
