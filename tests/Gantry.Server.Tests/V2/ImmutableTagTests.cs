using System.Net;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>Tags that keep their first manifest.</summary>
[Trait("Protocol", "D3.56")]
[Trait("Speed", "Slow")]
public sealed class ImmutableTagTests
{
    private const string Rule = "prod/*:v*";

    [Fact]
    public async Task Put_OverAnImmutableTag_IsDeniedAndNamesTheRule()
    {
        await using var server = await RegistryServer.StartAsync($"Push:ImmutableTags:0={Rule}");
        using var client = server.Client();
        var first = await client.PushImageAsync("prod/app", "v1");
        await client.PushBlobAsync("prod/app", "new"u8.ToArray());
        var other = RegistryClient.ImageJson(["new"u8.ToArray()]);

        // The same again, under tag and digest, is no change.
        await client.PushImageAsync("prod/app", "v1");
        using (var same = await client.PutManifestAsync("prod/app", $"{first}?tag=v1&tag=v2", RegistryClient.ImageJson([])))
            same.AssertStatus(HttpStatusCode.Created);

        using (var put = await client.PutManifestAsync("prod/app", "v1", other)) await AssertRefusedAsync(put);
        // One immutable tag among many stops them all, and the manifest with them.
        var digest = Digest.Of(System.Text.Encoding.UTF8.GetBytes(other));
        using (var put = await client.PutManifestAsync("prod/app", $"{digest}?tag=latest&tag=v1&tag=v9", other)) await AssertRefusedAsync(put);
        Assert.Equal(["v1", "v2"], await client.FollowNamesAsync("/v2/prod/app/tags/list", "tags"));
        using (var get = await client.GetAsync($"/v2/prod/app/manifests/{digest}")) get.AssertStatus(HttpStatusCode.NotFound);

        foreach (var reference in (string[])["v1", first.ToString()])
        {
            using var delete = await client.DeleteAsync($"/v2/prod/app/manifests/{reference}");
            await AssertRefusedAsync(delete);
        }

        using (var head = await client.SendAsync("HEAD", "/v2/prod/app/manifests/v1"))
            Assert.Equal(first.ToString(), head.RawHeader("Docker-Content-Digest"));
    }

    [Fact]
    public async Task Put_OverOtherTags_Moves()
    {
        await using var server = await RegistryServer.StartAsync($"Push:ImmutableTags:0={Rule}");
        using var client = server.Client();
        foreach (var (repository, tag) in ((string, string)[])[("prod/app", "latest"), ("dev/app", "v1"), ("prod", "v1"), ("my-prod/app", "v1")])
        {
            await client.PushImageAsync(repository, tag);
            var moved = await client.PushImageAsync(repository, tag, "new"u8.ToArray());
            using var head = await client.SendAsync("HEAD", $"/v2/{repository}/manifests/{tag}");
            Assert.Equal(moved.ToString(), head.RawHeader("Docker-Content-Digest"));
        }
    }

    private static async Task AssertRefusedAsync(HttpResponseMessage response) =>
        Assert.Contains(Rule, await response.AssertErrorAsync(HttpStatusCode.Conflict, "DENIED"), StringComparison.Ordinal);
}
