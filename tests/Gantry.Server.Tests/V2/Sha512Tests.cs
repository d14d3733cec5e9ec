using System.Net;
using System.Text;
using Gantry.Oci;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.ManifestCalls;

namespace Gantry.Server.Tests.V2;

/// <summary>What is pushed under sha512 is stored under it and answered with it.</summary>
[Trait("Protocol", "D3.58")]
public sealed class Sha512Tests(RegistryFixture registry)
{
    private HttpClient Client => registry.Client;

    [Fact]
    public async Task Push_ThroughoutBySha512_IsAnsweredWithSha512()
    {
        var repository = registry.NewRepository();
        var layer = "a layer"u8.ToArray();
        var config = await Client.PushBlobAsync(repository, RegistryClient.EmptyConfig, DigestAlgorithm.Sha512);
        var blob = await Client.PushBlobAsync(repository, layer, DigestAlgorithm.Sha512);
        var json = $$"""
            {"schemaVersion":2,"config":{{Descriptor(MediaTypes.OciConfig, config, 2)}},"layers":[{{Descriptor("a/b", blob, layer.Length)}}]}
            """;
        var digest = await PutAsync(repository, json, MediaTypes.OciManifest);
        var index = await PutAsync(repository, RegistryClient.IndexJson((MediaTypes.OciManifest, digest, 1)), MediaTypes.OciIndex);

        foreach (var (path, answered) in ((string, Digest)[])
            [($"manifests/{digest}", digest), ($"manifests/{index}", index), ($"blobs/{blob}", blob), ($"blobs/{config}", config)])
        {
            foreach (var method in (string[])["GET", "HEAD"])
            {
                using var answer = await Client.SendAsync(method, $"/v2/{repository}/{path}");
                answer.AssertStatus(HttpStatusCode.OK);
                Assert.Equal(answered.ToString(), answer.RawHeader("Docker-Content-Digest"));
                if (method == "GET") Assert.Equal(answered, Digest.Of(await answer.Content.ReadAsByteArrayAsync(), DigestAlgorithm.Sha512));
            }
        }

        // Under one digest, not under the other of the same bytes.
        using var other = await Client.GetAsync($"/v2/{repository}/manifests/{Digest.Of(Encoding.UTF8.GetBytes(json))}");
        other.AssertStatus(HttpStatusCode.NotFound);
        using var held = await Client.DeleteAsync($"/v2/{repository}/manifests/{digest}");
        Assert.Contains(index.ToString(), await held.AssertErrorAsync(HttpStatusCode.Conflict, "DENIED"), StringComparison.Ordinal);
        foreach (var gone in (Digest[])[index, digest])
        {
            using var delete = await Client.DeleteAsync($"/v2/{repository}/manifests/{gone}");
            delete.AssertStatus(HttpStatusCode.Accepted);
        }
    }

    [Fact]
    public async Task Push_UnderBothDigests_KeepsBoth()
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var bytes = Encoding.UTF8.GetBytes(RegistryClient.ImageJson([]));
        foreach (var algorithm in (DigestAlgorithm[])[DigestAlgorithm.Sha256, DigestAlgorithm.Sha512])
        {
            using var put = await Client.PutManifestAsync(repository, $"{Digest.Of(bytes, algorithm)}", bytes);
            put.AssertStatus(HttpStatusCode.Created);
        }

        using (var delete = await Client.DeleteAsync($"/v2/{repository}/manifests/{Digest.Of(bytes, DigestAlgorithm.Sha512)}"))
            delete.AssertStatus(HttpStatusCode.Accepted);
        Assert.Equal(bytes, await Client.GetByteArrayAsync($"/v2/{repository}/manifests/{Digest.Of(bytes)}"));
    }

    [Fact]
    public async Task Push_WithSha512Subject_IsListedUnderIt()
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var subject = Digest.Of("subject"u8, DigestAlgorithm.Sha512);
        var referrer = await Client.PushManifestAsync(repository, null, RegistryClient.ImageJson([], subject));

        Assert.Equal([referrer.ToString()], (await Client.ReferrersAsync(repository, subject)).Keys);
    }

    private async Task<Digest> PutAsync(string repository, string json, string mediaType)
    {
        var digest = Digest.Of(Encoding.UTF8.GetBytes(json), DigestAlgorithm.Sha512);
        using var put = await Client.PutManifestAsync(repository, digest.ToString(), json, mediaType);
        put.AssertStatus(HttpStatusCode.Created);
        Assert.Equal(digest.ToString(), put.RawHeader("Docker-Content-Digest"));
        Assert.Equal($"/v2/{repository}/manifests/{digest}", put.RawHeader("Location"));
        return digest;
    }
}
