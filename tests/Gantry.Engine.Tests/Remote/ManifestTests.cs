using System.Text;
using Gantry.Engine.Remote;
using Gantry.Oci;
using Microsoft.AspNetCore.Http;

namespace Gantry.Engine.Tests.Remote;

/// <summary>Documents as they come from registries that are odd, broken or hostile.</summary>
public sealed class ManifestTests
{
    private const string Sha = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private static readonly string Config = $$"""{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{Sha}}","size":0}""";
    private static readonly string Image = $$"""{"schemaVersion":2,"config":{{Config}},"layers":[]}""";
    private static readonly string Index = """{"schemaVersion":2,"manifests":[]}""";

    [Fact]
    [Trait("Pull", "B91")]
    public async Task Get_ByDigest_IgnoresWhatTheHeaderSays()
    {
        await using var server = await ServeAsync(Image, MediaTypes.OciManifest, $"sha256:{new string('0', 64)}");
        using var registries = new RemoteRegistries(Remotes.Quick);
        var document = await registries.Open($"{server.Host}/a/b").GetManifestAsync(Digest.Of(Encoding.UTF8.GetBytes(Image)));
        Assert.Equal((Digest.Of(Encoding.UTF8.GetBytes(Image)), MediaTypes.OciManifest), (document.Digest, document.MediaType));
    }

    [Theory]
    [Trait("Pull", "B91")]
    [Trait("Pull", "B105")]
    [InlineData(DigestAlgorithm.Sha256)]
    [InlineData(DigestAlgorithm.Sha512)]
    public async Task Get_ByDigest_OtherBytes_Refuses(DigestAlgorithm algorithm)
    {
        var wanted = Digest.Of("other"u8, algorithm);
        await using var server = await ServeAsync(Image, MediaTypes.OciManifest, wanted.ToString());
        await FailsAsync(EngineFault.Mismatch, server, wanted);
    }

    [Fact]
    public async Task Get_ByTag_HeaderOfOtherBytes_Refuses()
    {
        await using var server = await ServeAsync(Image, MediaTypes.OciManifest, $"sha256:{new string('0', 64)}");
        await FailsAsync(EngineFault.Mismatch, server, TagName.Parse("x"));
    }

    [Theory]
    [InlineData("md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("sha256:../../etc")]
    [InlineData(null)]
    [Trait("Pull", "C86")]
    public async Task Get_ByTag_HeaderThatIsNoDigest_ComputesItsOwn(string? header)
    {
        await using var server = await ServeAsync(Image, MediaTypes.OciManifest, header);
        using var registries = new RemoteRegistries(Remotes.Quick);
        Assert.Equal(Digest.Of(Encoding.UTF8.GetBytes(Image)), (await registries.Open($"{server.Host}/a/b").GetManifestAsync(TagName.Parse("x"))).Digest);
    }

    [Theory]
    [Trait("Pull", "C82")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Get_FiveMebibytes_StopsReading(bool announced)
    {
        await using var server = await FakeServer.StartAsync(async http =>
        {
            if (announced) http.Response.ContentLength = 5 << 20;
            await http.Response.Body.WriteAsync(new byte[5 << 20]);
        });
        await FailsAsync(EngineFault.TooLarge, server, TagName.Parse("x"));
    }

    [Fact]
    public async Task Get_BrokenOff_IsTriedAgain()
    {
        var turn = 0;
        await using var server = await FakeServer.StartAsync(http => turn++ == 0 ? Remotes.CutAsync(http, Encoding.UTF8.GetBytes(Image), 5) : FakeServer.AnswerAsync(http, 200, Image));
        using var registries = new RemoteRegistries(Remotes.Quick);
        Assert.Equal(Image.Length, (await registries.Open($"{server.Host}/a/b").GetManifestAsync(TagName.Parse("x"))).Content.Length);
    }

    [Theory]
    [InlineData("C79", $$"""{"schemaVersion":2,"manifests":[],"layers":[]}""", MediaTypes.OciIndex)]
    [InlineData("C80", """{"schemaVersion":2,"manifests":[]}""", MediaTypes.OciManifest)]
    [InlineData("B89", """{"schemaVersion":1,"fsLayers":[],"name":"x"}""", MediaTypes.OciManifest)]
    [InlineData("B90", """{"schemaVersion":2,"manifests":[],"manifests":[]}""", MediaTypes.OciIndex)]
    [InlineData("B90", """{"schemaVersion":2,"Manifests":[]}""", MediaTypes.OciIndex)]
    [InlineData("B88", """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]}""", MediaTypes.OciIndex)]
    [InlineData("C82", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", MediaTypes.OciIndex)]
    [InlineData("B106", """{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":-1}]}""", MediaTypes.OciIndex)]
    [InlineData("B105", """{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"blake3:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":1}]}""", MediaTypes.OciIndex)]
    public async Task Parse_DocumentThatIsNone_SaysWhy(string row, string json, string type)
    {
        await using var server = await ServeAsync(json, type);
        using var registries = new RemoteRegistries(Remotes.Quick);
        var document = await registries.Open($"{server.Host}/a/b").GetManifestAsync(TagName.Parse("x"));
        Assert.True(Assert.Throws<EngineException>(() => document.Parse()).Fault == EngineFault.InvalidDocument, row);
    }

    [Theory]
    [Trait("Pull", "C82")]
    [InlineData(1000, false)]
    [InlineData(1001, true)]
    public async Task Parse_ManyLayers_HasALimit(int layers, bool refused)
    {
        await using var server = await ServeAsync($$"""{"schemaVersion":2,"config":{{Config}},"layers":[{{string.Join(',', Enumerable.Repeat(Config, layers))}}]}""", MediaTypes.OciManifest);
        using var registries = new RemoteRegistries(Remotes.Quick);
        var document = await registries.Open($"{server.Host}/a/b").GetManifestAsync(TagName.Parse("x"));
        if (refused) Assert.Equal(EngineFault.TooLarge, Assert.Throws<EngineException>(() => document.Parse()).Fault);
        else Assert.Equal(layers, document.Parse().Layers.Count);
    }

    [Theory]
    [Trait("Pull", "B88")]
    [InlineData("application/json")]
    [InlineData("application/vnd.oci.image.index.v1+json; charset=utf-8")]
    [InlineData("")]
    public async Task Parse_TypeNotSaid_GoesByShape(string type)
    {
        await using var server = await ServeAsync(Index, type);
        using var registries = new RemoteRegistries(Remotes.Quick);
        Assert.Equal(ManifestKind.Index, (await registries.Open($"{server.Host}/a/b").GetManifestAsync(TagName.Parse("x"))).Parse().Kind);
    }

    [Fact]
    public async Task Resolve_Tag_TellsWhatTheHeadersSay()
    {
        await using var server = await FakeServer.StartAsync(http =>
        {
            http.Response.Headers["Docker-Content-Digest"] = Sha;
            http.Response.ContentType = MediaTypes.OciIndex;
            http.Response.ContentLength = 5_000_000_000;
            return Task.CompletedTask;
        });
        using var registries = new RemoteRegistries(Remotes.Quick);
        Assert.Equal(new Descriptor(MediaTypes.OciIndex, Digest.Parse(Sha), 5_000_000_000), await registries.Open($"{server.Host}/a/b").ResolveAsync(TagName.Parse("x")));
        Assert.Equal("HEAD", Assert.Single(server.Requests).Method);
    }

    [Theory]
    [InlineData(404, EngineFault.NotFound)]
    [InlineData(401, EngineFault.Denied)]
    [InlineData(403, EngineFault.Denied)]
    [InlineData(418, EngineFault.Network)]
    [InlineData(503, EngineFault.Network)]
    [InlineData(405, EngineFault.Unsupported)]
    public async Task Get_Refused_TellsTheRegistrysOwnWords(int status, EngineFault fault)
    {
        var message = new string('m', 5000) + "\u001b[2J\u202e";
        await using var server = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, status, $$"""{"errors":[{"code":"SOME_CODE\u0007","message":"{{message[..5000]}}\u001b[2J"}]}"""));
        var failed = await FailsAsync(fault, server, TagName.Parse("x"));
        Assert.Contains("SOME_CODE\\u0007: mmm", failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(failed.Message, char.IsControl);
        Assert.InRange(failed.Message.Length, 200, 1200);
        Assert.Contains("the tag x of a/b", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_NobodyThere_SaysSo()
    {
        using var registries = new RemoteRegistries(Remotes.Quick with { MaxTries = 1 });
        var failed = await Remotes.FailsAsync(EngineFault.Network, () => registries.Open("127.0.0.1:1/a/b").GetManifestAsync(TagName.Parse("x")));
        Assert.Contains("127.0.0.1:1", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_LoopbackWithoutTls_IsFoundByItself()
    {
        await using var server = await ServeAsync(Image, MediaTypes.OciManifest);
        using var registries = new RemoteRegistries(Remotes.Quick with { PlainHttp = false, Credentials = Remotes.Known });
        await registries.Open($"{server.Host}/a/b").GetManifestAsync(TagName.Parse("x"));
        Assert.Equal(["/v2/", "/v2/a/b/manifests/x"], server.Requests.Select(request => request.Target));
        Assert.All(server.Requests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task Get_LoopbackWithUnknownCertificate_IsNotAskedInTheClear()
    {
        using var network = new FakeNetwork();
        await using var server = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 200, Image), network.Certificate);
        using var strict = new RemoteRegistries(Remotes.Quick with { PlainHttp = false });
        var failed = await Remotes.FailsAsync(EngineFault.Network, () => strict.Open($"{server.Host}/a/b").GetManifestAsync(TagName.Parse("x")));
        Assert.Contains("no trusted connection", failed.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);

        using var trusting = new RemoteRegistries(Remotes.Quick with { PlainHttp = false, CaFile = network.CaFile });
        await trusting.Open($"{server.Host}/a/b").GetManifestAsync(TagName.Parse("x"));
        using var careless = new RemoteRegistries(Remotes.Quick with { PlainHttp = false, SkipVerify = true });
        await careless.Open($"{server.Host}/a/b").GetManifestAsync(TagName.Parse("x"));
    }

    [Fact]
    public async Task Get_OtherHostsWithoutTls_AreNotAskedInTheClear()
    {
        using var network = new FakeNetwork();
        await using var server = await ServeAsync(Image, MediaTypes.OciManifest);
        network.Add("registry.test", "203.0.113.10", server);
        using var registries = new RemoteRegistries(Remotes.Quick with { PlainHttp = false, Dialing = network.Dialing });
        await Remotes.FailsAsync(EngineFault.Network, () => registries.Open("registry.test/a/b").GetManifestAsync(TagName.Parse("x")));
        Assert.Empty(server.Requests);
        using var plain = new RemoteRegistries(Remotes.Quick with { Dialing = network.Dialing });
        await plain.Open("registry.test/a/b").GetManifestAsync(TagName.Parse("x"));
    }

    [Fact]
    public async Task Get_FromDockerHub_AsksItsApi()
    {
        using var network = new FakeNetwork();
        await using var server = await ServeAsync(Image, MediaTypes.OciManifest);
        network.Add("registry-1.docker.io", "203.0.113.10", server);
        using var registries = new RemoteRegistries(Remotes.Quick with { Dialing = network.Dialing });
        await registries.Open("debian").GetManifestAsync(TagName.Parse("x"));
        Assert.Equal(("/v2/library/debian/manifests/x", "registry-1.docker.io"), (server.Requests[0].Target, server.Requests[0].Host));
    }

    private static Task<FakeServer> ServeAsync(string json, string type, string? digest = null) => FakeServer.StartAsync((HttpContext http) =>
    {
        if (digest is not null) http.Response.Headers["Docker-Content-Digest"] = digest;
        return FakeServer.AnswerAsync(http, 200, json, type);
    });

    private static async Task<EngineException> FailsAsync(EngineFault fault, FakeServer server, Reference reference)
    {
        using var registries = new RemoteRegistries(Remotes.Quick);
        return await Remotes.FailsAsync(fault, () => registries.Open($"{server.Host}/a/b").GetManifestAsync(reference));
    }
}
