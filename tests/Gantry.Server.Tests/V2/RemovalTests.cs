using System.Net;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>Deletes of tags, manifests and blobs, and what stands in their way.</summary>
[Trait("Protocol", "D3.55")]
public sealed class RemovalTests(RegistryFixture registry)
{
    private HttpClient Client => registry.Client;

    [Fact]
    public async Task Delete_Tag_RemovesTheTagAlone()
    {
        var repository = registry.NewRepository();
        var digest = await Client.PushImageAsync(repository, "a");
        await Client.PushImageAsync(repository, "b");

        await DeleteAsync(repository, "manifests/a");

        await AssertGoneAsync(repository, "manifests/a");
        await AssertThereAsync(repository, "manifests/b");
        await AssertThereAsync(repository, $"manifests/{digest}");
        await DeleteAsync(repository, "manifests/b");
        await AssertThereAsync(repository, $"manifests/{digest}");
        Assert.Empty(await Client.FollowNamesAsync($"/v2/{repository}/tags/list", "tags"));
    }

    [Fact]
    public async Task Delete_Digest_RemovesTheManifestAndItsTagsAtOnce()
    {
        var repository = registry.NewRepository();
        var digest = await Client.PushImageAsync(repository, "a");
        await Client.PushImageAsync(repository, "b");
        await Client.PushImageAsync(repository, "other", "another image"u8.ToArray());

        await DeleteAsync(repository, $"manifests/{digest}");

        foreach (var reference in (string[])["a", "b", digest.ToString()]) await AssertGoneAsync(repository, $"manifests/{reference}");
        Assert.Equal(["other"], await Client.FollowNamesAsync($"/v2/{repository}/tags/list", "tags"));
    }

    [Fact]
    public async Task Delete_WhatIsNotThere_IsUnknown()
    {
        var repository = registry.NewRepository();
        var unknown = Digest.Of("unknown"u8);
        for (var round = 0; round < 2; round++)
        {
            foreach (var (path, code) in ((string, string)[])
                [("manifests/v1", "MANIFEST_UNKNOWN"), ($"manifests/{unknown}", "MANIFEST_UNKNOWN"), ($"blobs/{unknown}", "BLOB_UNKNOWN")])
            {
                using var delete = await Client.DeleteAsync($"/v2/{repository}/{path}");
                await delete.AssertErrorAsync(HttpStatusCode.NotFound, code);
            }

            await Client.PushBlobAsync(repository, "now the repository exists"u8.ToArray());
        }
    }

    [Fact]
    public async Task Delete_Twice_IsUnknownTheSecondTime()
    {
        var repository = registry.NewRepository();
        var digest = await Client.PushImageAsync(repository, "v1");
        foreach (var path in (string[])["manifests/v1", $"manifests/{digest}", $"blobs/{Digest.Of(RegistryClient.EmptyConfig)}"])
        {
            await DeleteAsync(repository, path);
            using var again = await Client.DeleteAsync($"/v2/{repository}/{path}");
            again.AssertStatus(HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task Delete_BlobThatALiveManifestNeeds_NamesTheManifest()
    {
        var repository = registry.NewRepository();
        var layer = "needed"u8.ToArray();
        var digest = await Client.PushImageAsync(repository, "v1", layer);

        foreach (var blob in (byte[][])[layer, RegistryClient.EmptyConfig])
        {
            using var delete = await Client.DeleteAsync($"/v2/{repository}/blobs/{Digest.Of(blob)}");
            var detail = await delete.AssertErrorAsync(HttpStatusCode.Conflict, "DENIED");
            Assert.Contains(digest.ToString(), detail, StringComparison.Ordinal);
            await AssertThereAsync(repository, $"blobs/{Digest.Of(blob)}");
        }

        await DeleteAsync(repository, $"manifests/{digest}");
        await DeleteAsync(repository, $"blobs/{Digest.Of(layer)}");
        await AssertGoneAsync(repository, $"blobs/{Digest.Of(layer)}");
    }

    [Fact]
    public async Task Delete_ManifestThatALiveIndexHolds_NamesTheIndex()
    {
        var repository = registry.NewRepository();
        var child = await Client.PushImageAsync(repository, "child");
        var inner = await Client.PushManifestAsync(repository, null, RegistryClient.IndexJson((MediaTypes.OciManifest, child, 1)), MediaTypes.OciIndex);
        var outer = await Client.PushManifestAsync(repository, "outer", RegistryClient.IndexJson((MediaTypes.OciIndex, inner, 1)), MediaTypes.OciIndex);

        foreach (var (held, holder) in ((Digest, Digest)[])[(child, inner), (inner, outer)])
        {
            using var delete = await Client.DeleteAsync($"/v2/{repository}/manifests/{held}");
            var detail = await delete.AssertErrorAsync(HttpStatusCode.Conflict, "DENIED");
            Assert.Contains(holder.ToString(), detail, StringComparison.Ordinal);
        }

        // A refused delete has changed nothing, the tag of the child included.
        await AssertThereAsync(repository, "manifests/child");
        foreach (var digest in (Digest[])[outer, inner, child]) await DeleteAsync(repository, $"manifests/{digest}");
    }

    [Fact]
    public async Task Push_AfterDelete_BringsAllBack()
    {
        var repository = registry.NewRepository();
        var layer = "revived"u8.ToArray();
        var digest = await Client.PushImageAsync(repository, "v1", layer);
        await DeleteAsync(repository, $"manifests/{digest}");

        // The blobs are still there: the manifest alone suffices.
        await Client.PushManifestAsync(repository, "v2", RegistryClient.ImageJson([layer]));
        await AssertThereAsync(repository, $"manifests/{digest}");
        await AssertGoneAsync(repository, "manifests/v1");

        await DeleteAsync(repository, $"manifests/{digest}");
        await DeleteAsync(repository, $"blobs/{Digest.Of(layer)}");
        using (var put = await Client.PutManifestAsync(repository, "v3", RegistryClient.ImageJson([layer])))
            await put.AssertErrorAsync(HttpStatusCode.NotFound, "MANIFEST_BLOB_UNKNOWN");
        await Client.PushImageAsync(repository, "v3", layer);
        Assert.Equal(layer, await Client.GetByteArrayAsync($"/v2/{repository}/blobs/{Digest.Of(layer)}"));
        await AssertThereAsync(repository, "manifests/v3");
    }

    [Fact]
    public async Task Delete_Blob_IsThatRepositorysAlone()
    {
        var (here, there) = (registry.NewRepository(), registry.NewRepository());
        var blob = await Client.PushBlobAsync(here, "shared"u8.ToArray());
        await Client.PushBlobAsync(there, "shared"u8.ToArray());

        await DeleteAsync(here, $"blobs/{blob}");

        await AssertGoneAsync(here, $"blobs/{blob}");
        await AssertThereAsync(there, $"blobs/{blob}");
    }

    private async Task DeleteAsync(string repository, string path)
    {
        using var delete = await Client.DeleteAsync($"/v2/{repository}/{path}");
        delete.AssertStatus(HttpStatusCode.Accepted);
    }

    private async Task AssertGoneAsync(string repository, string path)
    {
        using var head = await Client.SendAsync("HEAD", $"/v2/{repository}/{path}");
        head.AssertStatus(HttpStatusCode.NotFound);
        using var get = await Client.GetAsync($"/v2/{repository}/{path}");
        get.AssertStatus(HttpStatusCode.NotFound);
    }

    private async Task AssertThereAsync(string repository, string path)
    {
        using var head = await Client.SendAsync("HEAD", $"/v2/{repository}/{path}");
        head.AssertStatus(HttpStatusCode.OK);
    }
}
