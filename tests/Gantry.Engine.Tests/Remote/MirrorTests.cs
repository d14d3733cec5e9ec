using System.Collections.Concurrent;
using Gantry.Engine.Remote;
using Gantry.Oci;

namespace Gantry.Engine.Tests.Remote;

public sealed class MirrorTests : IDisposable
{
    private static readonly byte[] Content = Remotes.Random(500_000);
    private static readonly byte[] Manifest = "{}"u8.ToArray();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-mirrors-");
    private readonly ConcurrentQueue<string> _notes = new();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Read_MirrorHasIt_RegistryIsNotAsked()
    {
        await using var mirror = await FakeServer.StartAsync(http => Remotes.SendAsync(http, Content));
        await using var registry = await FakeServer.StartAsync(http => Remotes.SendAsync(http, Content));
        using var registries = Registries(registry, $"{mirror.Host}/cache/hub");
        Assert.Equal(Content, await registries.Open($"{registry.Host}/team/app").ReadAsync(Remotes.Describe(Content)));
        Assert.Empty(registry.Requests);
        Assert.Equal($"/v2/cache/hub/team/app/blobs/{Digest.Of(Content)}?ns={registry.Host}", Assert.Single(mirror.Requests).Target);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(500)]
    [InlineData(302)]
    public async Task Read_MirrorRefuses_RegistryIsAsked(int status)
    {
        await using var mirror = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, status));
        await using var registry = await FakeServer.StartAsync(http => Remotes.SendAsync(http, http.Request.Path.Value!.Contains("manifests", StringComparison.Ordinal) ? Manifest : Content));
        using var registries = Registries(registry, mirror.Host);
        var repository = registries.Open($"{registry.Host}/team/app");
        Assert.Equal(Content, await repository.ReadAsync(Remotes.Describe(Content)));
        Assert.Equal(Digest.Of(Manifest), (await repository.GetManifestAsync(TagName.Parse("x"))).Digest);
        Assert.Contains($"{mirror.Host} is passed over", _notes.First(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_MirrorIsAway_IsNotAskedAgainForAWhile()
    {
        await using var registry = await FakeServer.StartAsync(http => Remotes.SendAsync(http, Content));
        using var registries = Registries(registry, "127.0.0.1:1");
        var repository = registries.Open($"{registry.Host}/team/app");
        Assert.Equal(Content, await repository.ReadAsync(Remotes.Describe(Content)));
        Assert.Equal(Content, await repository.ReadAsync(Remotes.Describe(Content)));
        Assert.Single(_notes, note => note.Contains("passed over", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Read_MirrorDiesInTheMiddle_RegistryGoesOn()
    {
        var mirrored = 0;
        await using var mirror = await FakeServer.StartAsync(http => mirrored++ == 0 ? Remotes.CutAsync(http, Content, 200_000, "\"mirror\"") : FakeServer.AnswerAsync(http, 502));
        await using var registry = await FakeServer.StartAsync(http => Remotes.SendAsync(http, Content, "\"registry\""));
        using var registries = Registries(registry, mirror.Host);
        Assert.Equal(Content, await registries.Open($"{registry.Host}/team/app").ReadAsync(Remotes.Describe(Content)));
        var request = Assert.Single(registry.Requests);
        Assert.NotNull(request.Range);
        Assert.Null(request.IfRange); // the tag is the mirror's, the registry does not know it
    }

    [Fact]
    [Trait("Pull", "B91")]
    public async Task GetManifest_MirrorHasOtherBytes_RegistryIsAsked()
    {
        await using var mirror = await FakeServer.StartAsync(http =>
        {
            http.Response.Headers["Docker-Content-Digest"] = Digest.Of(Manifest).ToString();
            return FakeServer.AnswerAsync(http, 200, "{ }");
        });
        await using var registry = await FakeServer.StartAsync(http => Remotes.SendAsync(http, Manifest));
        using var registries = Registries(registry, mirror.Host);
        Assert.Equal(Manifest, (await registries.Open($"{registry.Host}/team/app").GetManifestAsync(Digest.Of(Manifest))).Content.ToArray());
        Assert.Contains("other bytes", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Push_AndLists_GoToTheRegistryAlone()
    {
        await using var mirror = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 200, """{"tags":["mirror"]}"""));
        await using var registry = await FakeServer.StartAsync(http => http.Request.Method == "GET" ? FakeServer.AnswerAsync(http, 200, """{"tags":["a"]}""") : FakeServer.AnswerAsync(http, http.Request.Method == "PUT" ? 201 : 200));
        using var registries = Registries(registry, mirror.Host);
        var repository = registries.Open($"{registry.Host}/team/app");
        Assert.Equal(["a"], (await repository.ListTagsAsync()).Select(tag => tag.ToString()));
        await repository.UploadBlobAsync(Remotes.Describe(Content), () => new MemoryStream(Content));
        await repository.PutManifestAsync(TagName.Parse("a"), Manifest, MediaTypes.OciManifest);
        Assert.Empty(mirror.Requests);
    }

    [Fact]
    public void Read_BothFiles_TheUsersCounts()
    {
        var (user, system) = (Write("user.json", """{ "registries": { "a.io": { "plainHttp": true }, } } // mine"""),
            Write("system.json", """{ "registries": { "A.io": { "skipVerify": true }, "docker.io": { "mirrors": ["m.io:5000", "h.io/hub/x"], "ca": "corp.pem" } } }"""));
        var file = RegistriesFile.Read([user, Path.Combine(_folder.FullName, "none.json"), system]);
        Assert.Equal((true, false), (file.For("a.io").PlainHttp, file.For("a.io").SkipVerify));
        Assert.Equal([new RegistryMirror("m.io:5000", ""), new RegistryMirror("h.io", "hub/x/")], file.For("docker.io").Mirrors);
        Assert.Equal(Path.Combine(_folder.FullName, "corp.pem"), file.For("docker.io").Ca);
        Assert.Same(RegistrySettings.Default, file.For("b.io"));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"mirrors":{}}""")]
    [InlineData("""{"registries":{"a b":{}}}""")]
    [InlineData("""{"registries":{"a.io":{"mirror":"x"}}}""")]
    [InlineData("""{"registries":{"a.io":{"plainHttp":"yes"}}}""")]
    [InlineData("""{"registries":{"a.io":{"mirrors":["https://m.io"]}}}""")]
    [InlineData("""{"registries":{"a.io":{"mirrors":["m.io/Upper"]}}}""")]
    [InlineData("""{"registries":{"a.io":{},"a.io":{}}}""")]
    public void Rejects_File(string text)
    {
        var path = Write("bad.json", text);
        Assert.Contains(path, Assert.Throws<EngineException>(() => RegistriesFile.Read([path])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UsualPaths_UserBeforeSystem()
    {
        Assert.Equal(["/x/gantry/registries.json", "/etc/gantry/registries.json"], RegistriesFile.UsualPaths(name => name == "XDG_CONFIG_HOME" ? "/x" : "/home/me"));
        Assert.Equal(["/home/me/.config/gantry/registries.json", "/etc/gantry/registries.json"], RegistriesFile.UsualPaths(name => name == "HOME" ? "/home/me" : null));
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    private RemoteRegistries Registries(FakeServer registry, string mirror) => new(Remotes.Quick with
    {
        Notes = _notes.Enqueue,
        Registries = RegistriesFile.Read([Write("registries.json", $$"""{ "registries": { "{{registry.Host}}": { "mirrors": ["{{mirror}}"] } } }""")]),
    });
}
