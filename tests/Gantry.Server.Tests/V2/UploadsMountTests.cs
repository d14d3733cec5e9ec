using System.Net;
using Gantry.Oci;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.V2;

/// <summary>Blobs taken over from other repositories (distribution-spec, "Mounting a blob from another repository").</summary>
[Trait("Protocol", "D2.27")]
public sealed class UploadsMountTests(RegistryFixture registry)
{
    private readonly string _repository = registry.NewRepository();
    private readonly string _source = registry.NewRepository();

    private HttpClient Client => registry.Client;

    [Theory]
    [InlineData(DigestAlgorithm.Sha256, true)]
    [InlineData(DigestAlgorithm.Sha512, true)]
    [InlineData(DigestAlgorithm.Sha256, false)]
    public async Task Mount_OfABlobThatIsThere_Is201AndServesIt(DigestAlgorithm algorithm, bool namesSource)
    {
        var content = NewContent(1000);
        var digest = await Client.PushBlobAsync(_source, content, algorithm);

        using var post = await MountAsync(Client, digest, namesSource ? _source : null);

        Assert.Equal((HttpStatusCode.Created, digest.ToString()), (post.StatusCode, post.Header("Docker-Content-Digest")));
        Assert.Equal($"/v2/{_repository}/blobs/{digest}", post.Header("Location"));
        Assert.Equal(content, await Client.GetByteArrayAsync(post.Header("Location")));
    }

    [Fact]
    public async Task Mount_Twice_Is201Twice()
    {
        var digest = await Client.PushBlobAsync(_source, NewContent(1000));
        for (var round = 0; round < 2; round++)
        {
            using var post = await MountAsync(Client, digest, _source);
            Assert.Equal(HttpStatusCode.Created, post.StatusCode);
        }
    }

    [Fact]
    public async Task Mount_OfABlobThatIsNowhere_StartsAnUpload() =>
        await AssertMissAsync(Client, NewContent(1000), _source);

    [Fact]
    public async Task Mount_OfABlobThatTheNamedSourceLacks_StartsAnUpload()
    {
        var content = NewContent(1000);
        await Client.PushBlobAsync(_source, content);

        await AssertMissAsync(Client, content, registry.NewRepository());
    }

    [Theory]
    [InlineData("no/such/repository")]
    [InlineData("Not-A-Name")]
    [InlineData("../" + "etc")]
    [InlineData("a//b")]
    [InlineData("a%00b")]
    public async Task Mount_FromASourceThatCannotBe_StartsAnUpload(string from)
    {
        var content = NewContent(1000);
        await Client.PushBlobAsync(_source, content);

        await AssertMissAsync(Client, content, from);
    }

    [Fact]
    public async Task Mount_OfABlobDeletedInItsOnlySource_StartsAnUpload()
    {
        var content = NewContent(1000);
        var digest = await Client.PushBlobAsync(_source, content);
        using var delete = await Client.DeleteAsync($"/v2/{_source}/blobs/{digest}");
        Assert.Equal(HttpStatusCode.Accepted, delete.StatusCode);

        await AssertMissAsync(Client, content, _source);
        // Pushed by the line before: only the source that lost it is a miss.
        using var anywhere = await MountAsync(Client, digest, null);
        Assert.Equal(HttpStatusCode.Created, anywhere.StatusCode);
    }

    [Fact]
    public async Task Mount_WithABadDigest_IsDigestInvalid()
    {
        using var post = await Client.PostAsync($"/v2/{_repository}/blobs/uploads/?mount=sha256:1&from={_source}", null);

        Assert.Equal((HttpStatusCode.BadRequest, "DIGEST_INVALID"), (post.StatusCode, await post.ErrorCodeAsync()));
    }

    [Fact]
    [Trait("Protocol", "D1.15")]
    public async Task Mount_WithATokenThatLacksTheSource_StartsAnUpload()
    {
        var content = NewContent(1000);
        var digest = await Client.PushBlobAsync(_source, content);
        using var client = await TokenClientAsync($"repository:{_repository}:pull,push");

        await AssertMissAsync(client, content, _source);

        using var both = await TokenClientAsync($"repository:{_repository}:pull,push", $"repository:{_source}:pull");
        using var post = await MountAsync(both, digest, _source);
        Assert.Equal(HttpStatusCode.Created, post.StatusCode);
    }

    [Fact]
    public async Task Mount_WithoutSource_SearchesWhatTheAccountMayReadWhateverTheTokenNames()
    {
        var digest = await Client.PushBlobAsync(_source, NewContent(1000));
        using var client = await TokenClientAsync($"repository:{_repository}:pull,push");

        using var post = await MountAsync(client, digest, null);

        Assert.Equal(HttpStatusCode.Created, post.StatusCode);
    }

    [Fact]
    public async Task Mount_ByNobody_Is401NamingBothScopes()
    {
        var digest = await Client.PushBlobAsync(_source, NewContent(1000));
        using var client = registry.Server.Client(account: null);

        using var post = await MountAsync(client, digest, _source);

        Assert.Equal(HttpStatusCode.Unauthorized, post.StatusCode);
        Assert.Contains($"scope=\"repository:{_repository}:pull,push repository:{_source}:pull\"",
            post.Header("WWW-Authenticate"), StringComparison.Ordinal);
    }

    private Task<HttpResponseMessage> MountAsync(HttpClient client, Digest digest, string? from) => client.PostAsync(
        $"/v2/{_repository}/blobs/uploads/?mount={digest}{(from is null ? "" : $"&from={from}")}", null);

    /// <summary>202, and the upload that it starts works.</summary>
    private async Task AssertMissAsync(HttpClient client, byte[] content, string from)
    {
        var digest = Digest.Of(content);
        using var post = await MountAsync(client, digest, from);
        Assert.Equal((HttpStatusCode.Accepted, "0-0"), (post.StatusCode, post.Header("Range")));
        using var before = await client.HeadBlobAsync(_repository, digest);
        Assert.Equal(HttpStatusCode.NotFound, before.StatusCode);

        using var put = await client.CloseAsync(post.Header("Location"), digest, content);
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    private async Task<HttpClient> TokenClientAsync(params string[] scopes)
    {
        var query = string.Concat(scopes.Select(scope => $"&scope={scope}"));
        using var document = System.Text.Json.JsonDocument.Parse(await Client.GetStringAsync($"/token?service=gantry{query}"));
        var client = registry.Server.Client(account: null);
        client.DefaultRequestHeaders.Authorization = new("Bearer", document.RootElement.GetProperty("token").GetString());
        return client;
    }
}
