using System.Net;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>A HEAD renews what it found; with no grace every one does.</summary>
[Trait("Speed", "Slow")]
public sealed class RenewalTests
{
    private const int Clients = 24, Rounds = 60;
    private const string Repository = "renewal/app";

    [Fact]
    public async Task Heads_OfManyAtOnce_DisturbNoOtherRequest()
    {
        await using var server = await RegistryServer.StartAsync("Gc:Grace=00:00:00", "Gc:Enabled=false");
        using var client = server.Client();
        var manifest = await client.PushImageAsync(Repository, "v", [1, 2, 3]);
        var layer = Digest.Of([1, 2, 3]);

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async number =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                var path = ((number + round) % 3) switch { 0 => $"blobs/{layer}", 1 => $"manifests/{manifest}", _ => "manifests/v" };
                using var request = new HttpRequestMessage(HttpMethod.Head, $"/v2/{Repository}/{path}");
                using var answer = await client.SendAsync(request);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            }
        }));
    }
}
