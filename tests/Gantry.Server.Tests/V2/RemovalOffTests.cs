using System.Net;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>A registry that deletes nothing says so.</summary>
[Trait("Protocol", "D3.55")]
public sealed class RemovalOffTests
{
    [Fact]
    public async Task Delete_SwitchedOff_IsUnsupported()
    {
        await using var server = await RegistryServer.StartAsync("Removal:Enabled=false");
        using var client = server.Client();
        using var nobody = server.Client(account: null);
        var digest = await client.PushImageAsync("a/b", "v1");
        var blob = Digest.Of(RegistryClient.EmptyConfig);

        foreach (var (path, allowed) in ((string, string)[])
            [("manifests/v1", "GET, HEAD, PUT"), ($"manifests/{digest}", "GET, HEAD, PUT"), ($"blobs/{blob}", "GET, HEAD")])
        {
            foreach (var caller in (HttpClient[])[client, nobody])
            {
                using var delete = await caller.DeleteAsync($"/v2/a/b/{path}");
                await delete.AssertErrorAsync(HttpStatusCode.MethodNotAllowed, "UNSUPPORTED");
                Assert.Equal(allowed, delete.RawHeader("Allow"));
            }

            using var head = await client.SendAsync("HEAD", $"/v2/a/b/{path}");
            head.AssertStatus(HttpStatusCode.OK);
        }

        // The end of an upload removes nothing that was there.
        var upload = await client.StartUploadAsync("a/b");
        using var cancel = await client.DeleteAsync(upload);
        cancel.AssertStatus(HttpStatusCode.NoContent);
    }
}
