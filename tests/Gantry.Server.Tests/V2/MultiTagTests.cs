using System.Net;
using System.Text;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>One push, many tags (distribution-spec, "Pushing Manifests": <c>tag</c> parameters).</summary>
[Trait("Protocol", "D3.57")]
public sealed class MultiTagTests(RegistryFixture registry)
{
    private HttpClient Client => registry.Client;

    [Theory]
    [InlineData(DigestAlgorithm.Sha256)]
    [InlineData(DigestAlgorithm.Sha512)]
    [Trait("Protocol", "D3.58")]
    public async Task Put_TwelveTags_AnswersEachAndSetsEach(DigestAlgorithm algorithm)
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var (json, tags) = (RegistryClient.ImageJson([]), Enumerable.Range(0, 12).Select(i => $"v1.{i}").ToList());
        var digest = Digest.Of(Encoding.UTF8.GetBytes(json), algorithm);

        using var put = await Client.PutManifestAsync(repository, $"{digest}?{Query(tags)}", json);

        put.AssertStatus(HttpStatusCode.Created);
        Assert.Equal(tags, Answered(put));
        foreach (var tag in tags)
        {
            using var head = await Client.SendAsync("HEAD", $"/v2/{repository}/manifests/{tag}");
            Assert.Equal(digest.ToString(), head.RawHeader("Docker-Content-Digest"));
        }
    }

    [Fact]
    public async Task Put_RequestLineOfNearly32KiB_IsTaken()
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var json = RegistryClient.ImageJson([]);
        var tags = Enumerable.Range(0, 239).Select(i => $"{i:d3}".PadRight(128, 'x')).ToList();
        var target = $"/v2/{repository}/manifests/{Digest.Of(Encoding.UTF8.GetBytes(json))}?{Query(tags)}";
        Assert.InRange(target.Length, 31_000, 32_740);

        using var put = await Client.PutManifestAsync(repository, target[(target.LastIndexOf('/') + 1)..], json);

        put.AssertStatus(HttpStatusCode.Created);
        Assert.Equal(tags, Answered(put));
        Assert.Equal(tags, await Client.FollowNamesAsync($"/v2/{repository}/tags/list", "tags"));
    }

    [Fact]
    public async Task Put_RepeatedTag_IsAnsweredOnce()
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var json = RegistryClient.ImageJson([]);

        using var put = await Client.PutManifestAsync(repository, $"{Digest.Of(Encoding.UTF8.GetBytes(json))}?tag=a&tag=b&tag=a", json);

        put.AssertStatus(HttpStatusCode.Created);
        Assert.Equal(["a", "b"], Answered(put));
    }

    [Theory]
    [Trait("Protocol", "D3.43")]
    [InlineData("tag=good&tag=.bad")]
    [InlineData("tag=")]
    [InlineData("tag=a%00")]
    [InlineData("tag=a,b")]
    public async Task Put_OneWildTag_RefusesAll(string query)
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var json = RegistryClient.ImageJson([]);

        using var put = await Client.PutManifestAsync(repository, $"{Digest.Of(Encoding.UTF8.GetBytes(json))}?{query}", json);

        await put.AssertErrorAsync(HttpStatusCode.BadRequest, "TAG_INVALID");
        Assert.Empty(await Client.FollowNamesAsync($"/v2/{repository}/tags/list", "tags"));
    }

    [Fact]
    public async Task Put_WithoutTags_AnswersNone()
    {
        var repository = registry.NewRepository();
        await Client.PushConfigAsync(repository);
        var json = RegistryClient.ImageJson([]);
        foreach (var reference in (string[])["v1", Digest.Of(Encoding.UTF8.GetBytes(json)).ToString()])
        {
            using var put = await Client.PutManifestAsync(repository, reference, json);
            put.AssertStatus(HttpStatusCode.Created);
            Assert.False(put.Headers.Contains("OCI-Tag"));
        }
    }

    private static string Query(IEnumerable<string> tags) => string.Join('&', tags.Select(tag => $"tag={tag}"));

    private static IEnumerable<string> Answered(HttpResponseMessage response) => response.Headers.GetValues("OCI-Tag");
}
