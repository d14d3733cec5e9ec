using System.Net;
using System.Text.Json;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>Whatever goes wrong under <c>/v2</c>, a client gets the envelope it can read.</summary>
[Trait("Protocol", "D4.68")]
public sealed class ErrorEnvelopeTests(RegistryFixture registry)
{
    private const string Zero = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    private HttpClient Client => registry.Client;

    [Theory]
    [Trait("Protocol", "D4.69")]
    [InlineData("/v2/a")]
    [InlineData("/v2/a/b/c")]
    [InlineData("/v2/index.html")]
    [InlineData("/v2/a/manifests/")]
    [InlineData("/v2/manifests/v1")]
    [InlineData("/v2//manifests/v1")]
    [InlineData("/v2/a/tags")]
    [InlineData("/v2/a/tags/list/")]
    [InlineData("/v2/_catalog/")]
    [InlineData("/v2/_other")]
    [InlineData("/v2/a/_layout/x")]
    [InlineData("/v2/token")]
    [InlineData("/v2/healthz/live")]
    public async Task AnyMethod_OnAnUnknownPath_IsNotFound(string path)
    {
        foreach (var method in (string[])["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
        {
            using var answer = await Client.SendAsync(method, path);
            await answer.AssertErrorAsync(HttpStatusCode.NotFound, "UNSUPPORTED");
        }

        using var head = await Client.SendAsync("HEAD", path);
        head.AssertStatus(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("/v2/", "GET, HEAD", "POST PUT PATCH DELETE OPTIONS TRACE")]
    [InlineData("/v2", "GET, HEAD", "POST PUT PATCH DELETE OPTIONS")]
    [InlineData("/v2/_catalog", "GET, HEAD", "POST PUT PATCH DELETE OPTIONS")]
    [InlineData("/v2/a/b/tags/list", "GET, HEAD", "POST PUT PATCH DELETE OPTIONS")]
    [InlineData("/v2/a/b/manifests/v1", "GET, HEAD, PUT, DELETE", "POST PATCH OPTIONS get")]
    [InlineData("/v2/a/b/blobs/" + Zero, "GET, HEAD, DELETE", "POST PUT PATCH OPTIONS")]
    [InlineData("/v2/a/b/referrers/" + Zero, "GET, HEAD", "POST PUT PATCH DELETE OPTIONS")]
    [InlineData("/v2/a/b/blobs/uploads/", "POST", "GET HEAD PUT PATCH DELETE OPTIONS")]
    [InlineData("/v2/a/b/blobs/uploads/1", "PATCH, PUT, GET, HEAD, DELETE", "POST OPTIONS")]
    public async Task WrongMethod_IsNotAllowed_AndSaysWhatIs(string path, string allowed, string methods)
    {
        foreach (var method in methods.Split(' '))
        {
            await using var connection = await RawConnection.OpenAsync(registry.Server.Address);
            await connection.SendAsync(RawConnection.Head(method, path, "Content-Length: 0"));
            var answer = await connection.ReadAsync(toHead: method == "HEAD");
            Assert.Equal((method, 405), (method, answer.Status));
            Assert.Equal(allowed.Split(", ").Order(), answer.Header("Allow").Split(", ").Order());
            Assert.Equal("application/json", answer.Header("Content-Type"));
            if (method == "HEAD") continue;
            using var body = JsonDocument.Parse(answer.Body);
            Assert.Equal("UNSUPPORTED", body.RootElement.GetProperty("errors")[0].GetProperty("code").GetString());
        }
    }

    [Theory]
    [Trait("Protocol", "D3.54")]
    [InlineData("UPPER")]
    [InlineData("a/Upper")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("a..b")]
    [InlineData("a//b")]
    [InlineData("a___b")]
    [InlineData("a%2Fb")]
    [InlineData("a%2f..%2fb")]
    [InlineData("a%20b")]
    [InlineData("%E6%97%A5")]
    [InlineData("a:b")]
    [InlineData("$(id)")]
    [InlineData("a\\b")]
    public async Task WildName_IsInvalid(string name)
    {
        foreach (var rest in (string[])["manifests/v1", "tags/list", $"blobs/{Zero}", $"referrers/{Zero}"])
        {
            await using var connection = await RawConnection.OpenAsync(registry.Server.Address);
            await connection.SendAsync(RawConnection.Head("GET", $"/v2/{name}/{rest}"));
            var answer = await connection.ReadAsync();
            Assert.Equal(400, answer.Status);
            using var body = JsonDocument.Parse(answer.Body);
            Assert.Equal("NAME_INVALID", body.RootElement.GetProperty("errors")[0].GetProperty("code").GetString());
        }
    }

    [Fact]
    [Trait("Protocol", "D3.54")]
    public async Task NameOf255Characters_Works_AndOneMoreIsInvalid()
    {
        var longest = string.Join('/', Enumerable.Repeat("component", 26))[..255];
        await Client.PushImageAsync(longest, "v1");
        Assert.Equal(["v1"], await Client.FollowNamesAsync($"/v2/{longest}/tags/list", "tags"));

        using var get = await Client.GetAsync($"/v2/{longest}x/tags/list");
        await get.AssertErrorAsync(HttpStatusCode.BadRequest, "NAME_INVALID");
    }

    [Theory]
    [Trait("Protocol", "D3.54")]
    [InlineData("blobs")]
    [InlineData("manifests/blobs")]
    [InlineData("tags/list")]
    [InlineData("a/tags/list")]
    [InlineData("uploads/uploads")]
    [InlineData("blobs/uploads")]
    [InlineData("referrers/referrers/manifests/v1")]
    [InlineData("v2/v2")]
    [InlineData("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z")]
    public async Task NamesHoldingTheWordsOfPaths_GoTheWholeWay(string repository)
    {
        var layer = UploadSteps.NewContent(100);
        var digest = await Client.PushImageAsync(repository, "list", layer);

        Assert.Equal(layer, await Client.GetByteArrayAsync($"/v2/{repository}/blobs/{Digest.Of(layer)}"));
        Assert.Equal(["list"], await Client.FollowNamesAsync($"/v2/{repository}/tags/list", "tags"));
        Assert.Empty(await Client.ReferrersAsync(repository, digest));
        using var delete = await Client.DeleteAsync($"/v2/{repository}/manifests/list");
        delete.AssertStatus(HttpStatusCode.Accepted);
    }

    [Theory]
    [InlineData("/v2/", 200)]
    [InlineData("/v2/nothing/here", 404)]
    [InlineData("/v2/a/manifests/.", 404)]
    [InlineData("/v2/UPPER/tags/list", 400)]
    [InlineData("/healthz/live", 200)]
    [InlineData("/healthz/ready", 200)]
    [InlineData("/nothing/here", 404)]
    [InlineData("/token", 200)]
    public async Task EveryAnswer_HasARequestIdOfItsOwn_AndNoCookie(string path, int status)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        for (var round = 0; round < 2; round++)
        {
            using var answer = await Client.GetAsync(path);
            Assert.Equal(status, (int)answer.StatusCode);
            Assert.True(ids.Add(answer.RawHeader("X-Request-Id")!));
            Assert.False(answer.Headers.Contains("Set-Cookie"));
            Assert.False(answer.Headers.Contains("Server"));
        }
    }

    [Fact]
    [Trait("Protocol", "D4.62")]
    public async Task WhateverAcceptEncodingSays_NothingIsCompressed()
    {
        var repository = registry.NewRepository();
        var layer = new byte[100_000];
        var digest = await Client.PushImageAsync(repository, "v1", layer);
        foreach (var path in (string[])["", "_catalog", $"{repository}/tags/list", $"{repository}/manifests/v1", $"{repository}/blobs/{Digest.Of(layer)}",
                     $"{repository}/referrers/{digest}", $"{repository}/manifests/missing"])
        {
            foreach (var method in (string[])["GET", "HEAD"])
            {
                using var answer = await Client.SendAsync(method, $"/v2/{path}", null, ("Accept-Encoding", "zstd, gzip, br, deflate, identity;q=0"));
                Assert.Empty(answer.Content.Headers.ContentEncoding);
                var body = await answer.Content.ReadAsByteArrayAsync();
                if (path.Contains("blobs", StringComparison.Ordinal)) Assert.Equal(method == "GET" ? layer : [], body);
                else if (method == "GET") JsonDocument.Parse(body).Dispose();
            }
        }
    }
}
