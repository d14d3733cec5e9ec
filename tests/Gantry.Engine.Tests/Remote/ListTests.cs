using System.Text;
using Gantry.Engine.Remote;
using Gantry.Oci;
using Microsoft.AspNetCore.Http;

namespace Gantry.Engine.Tests.Remote;

public sealed class ListTests
{
    private static readonly Digest Subject = Digest.Of("subject"u8);

    [Theory]
    [InlineData("</v2/a/b/tags/list?n=2&last=t2>; rel=\"next\"")]
    [InlineData("</v2/a/b/tags/list?n=2&last=t2>;rel=next;title=x")]
    [InlineData("<http://HOST/v2/a/b/tags/list?last=t2>; rel=\"next\"")]
    [InlineData("<?last=t2>; rel=\"next\"")]
    public async Task ListTags_Pages_AreFollowed(string link)
    {
        await using var server = await FakeServer.StartAsync(http =>
        {
            var isLast = http.Request.Query["last"].Count > 0;
            if (!isLast) http.Response.Headers.Link = link.Replace("HOST", http.Request.Host.Value, StringComparison.Ordinal);
            return FakeServer.AnswerAsync(http, 200, isLast ? """{"name":"a/b","tags":["t3"]}""" : """{"name":"a/b","tags":["t1","t2"]}""");
        });
        Assert.Equal(["t1", "t2", "t3"], await TagsAsync(server));
    }

    [Theory]
    [Trait("Pull", "C95")]
    [InlineData("<http://other.test/v2/a/b/tags/list>; rel=\"next\"")]
    [InlineData("<https://HOST/v2/a/b/tags/list>; rel=\"next\"")]
    [InlineData("<//other.test/v2/>; rel=\"next\"")]
    [InlineData("<http://user@HOST/v2/>; rel=\"next\"")]
    [InlineData("<file:///etc/passwd>; rel=\"next\"")]
    public async Task ListTags_NextPageElsewhere_Refuses(string link)
    {
        await using var server = await FakeServer.StartAsync(http =>
        {
            http.Response.Headers.Link = link.Replace("HOST", http.Request.Host.Value, StringComparison.Ordinal);
            return FakeServer.AnswerAsync(http, 200, """{"tags":["t1"]}""");
        });
        await Remotes.FailsAsync(EngineFault.Refused, () => TagsAsync(server));
        Assert.Single(server.Requests);
    }

    [Fact]
    [Trait("Pull", "C95")]
    public async Task ListTags_PagesWithoutEnd_Stops()
    {
        var page = 0;
        await using var server = await FakeServer.StartAsync(http =>
        {
            http.Response.Headers.Link = $"</v2/a/b/tags/list?last={page++}>; rel=\"next\"";
            return FakeServer.AnswerAsync(http, 200, """{"tags":["t1"]}""");
        });
        await Remotes.FailsAsync(EngineFault.TooLarge, () => TagsAsync(server));
        Assert.Equal(1000, server.Requests.Count);
    }

    [Fact]
    [Trait("Pull", "C95")]
    public async Task ListTags_SamePageAgain_Stops()
    {
        await using var server = await FakeServer.StartAsync(http =>
        {
            http.Response.Headers.Link = "</v2/a/b/tags/list?x>; rel=\"next\"";
            return FakeServer.AnswerAsync(http, 200, """{"tags":["t1"]}""");
        });
        await Remotes.FailsAsync(EngineFault.Network, () => TagsAsync(server));
        Assert.Equal(2, server.Requests.Count);
    }

    [Theory]
    [InlineData("""{"tags":null}""", 0)]
    [InlineData("""{"tags":[]}""", 0)]
    [InlineData("""{"tags":["a","b"]}""", 2)]
    public async Task ListTags_Empty_IsEmpty(string json, int count)
    {
        await using var server = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 200, json));
        Assert.Equal(count, (await TagsAsync(server)).Length);
    }

    [Theory]
    [InlineData("""{"tags":["../x"]}""")]
    [InlineData("""{"tags":["a b"]}""")]
    [InlineData("""{"tags":[5]}""")]
    [InlineData("""{"tags":"a"}""")]
    [InlineData("""{}""")]
    [InlineData("""[]""")]
    [InlineData("<html>")]
    public async Task ListTags_NoSuchList_SaysSo(string json)
    {
        await using var server = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 200, json));
        await Remotes.FailsAsync(EngineFault.InvalidDocument, () => TagsAsync(server));
    }

    [Fact]
    public async Task ListReferrers_Pages_FilteredHereToo()
    {
        await using var server = await FakeServer.StartAsync(http =>
        {
            var isLast = http.Request.Query["p"].Count > 0;
            if (!isLast) http.Response.Headers.Link = "<?p=2>; rel=\"next\"";
            return FakeServer.AnswerAsync(http, 200, Index(isLast ? "sbom/x" : "sig/x", isLast ? "sig/x" : "other/x"), MediaTypes.OciIndex);
        });
        using var registries = new RemoteRegistries(Remotes.Quick);
        var repository = registries.Open($"{server.Host}/a/b");
        Assert.Equal(["sig/x", "other/x", "sbom/x", "sig/x"], (await repository.ListReferrersAsync(Subject)).Select(found => found.ArtifactType));
        Assert.Equal(2, (await repository.ListReferrersAsync(Subject, "sig/x")).Count);
        Assert.Contains("?artifactType=sig%2Fx", server.Requests[^2].Target, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404, "application/json")]
    [InlineData(400, "application/json")]
    [InlineData(405, "text/plain")]
    [InlineData(200, "text/html")]
    public async Task ListReferrers_NoSuchApi_AsksTheFallbackTag(int status, string type)
    {
        await using var server = await FakeServer.StartAsync(http => http.Request.Path.Value!.EndsWith($"/manifests/sha256-{Subject.Hex}", StringComparison.Ordinal)
            ? FakeServer.AnswerAsync(http, 200, Index("sig/x"), MediaTypes.OciIndex)
            : FakeServer.AnswerAsync(http, http.Request.Path.Value!.Contains("manifests", StringComparison.Ordinal) ? 404 : status, "<html>", type));
        using var registries = new RemoteRegistries(Remotes.Quick);
        Assert.Equal("sig/x", Assert.Single(await registries.Open($"{server.Host}/a/b").ListReferrersAsync(Subject)).ArtifactType);
        Assert.Empty(await registries.Open($"{server.Host}/a/b").ListReferrersAsync(Digest.Of("nothing"u8)));
    }

    [Fact]
    [Trait("Pull", "C95")]
    public async Task ListReferrers_NextPageElsewhere_Refuses()
    {
        await using var server = await FakeServer.StartAsync(http =>
        {
            http.Response.Headers.Link = "<http://other/>; rel=\"next\"";
            return FakeServer.AnswerAsync(http, 200, Index("sig/x"), MediaTypes.OciIndex);
        });
        using var registries = new RemoteRegistries(Remotes.Quick);
        await Remotes.FailsAsync(EngineFault.Refused, () => registries.Open($"{server.Host}/a/b").ListReferrersAsync(Subject));
    }

    private static string Index(params string[] types) => $$"""
        {"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{string.Join(',', types.Select(type => $$"""
        {"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{Digest.Of(Encoding.UTF8.GetBytes(type))}}","size":5,"artifactType":"{{type}}"}
        """))}}]}
        """;

    private static async Task<string[]> TagsAsync(FakeServer server)
    {
        using var registries = new RemoteRegistries(Remotes.Quick);
        return [.. (await registries.Open($"{server.Host}/a/b").ListTagsAsync()).Select(tag => tag.ToString())];
    }
}
