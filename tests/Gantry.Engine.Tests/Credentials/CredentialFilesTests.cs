using System.Text;
using System.Text.Json.Nodes;
using Gantry.Engine.Credentials;
using Gantry.Engine.Remote;
using Gantry.Engine.Tests.Remote;
using Gantry.Oci;

namespace Gantry.Engine.Tests.Credentials;

public sealed class CredentialFilesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-logins-");
    private readonly Dictionary<string, string> _environment = [];

    public CredentialFilesTests() => (_environment["HOME"], _environment["XDG_RUNTIME_DIR"]) = (At("home"), At("run"));

    private CredentialFiles Files => CredentialFiles.FromEnvironment(_environment.GetValueOrDefault);

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("ghcr.io", "ghcr.io")]
    [InlineData("https://ghcr.io", "ghcr.io")]
    [InlineData("http://ghcr.io/v2/", "ghcr.io")]
    [InlineData("GHCR.io", "ghcr.io")]
    [InlineData("https://index.docker.io/v1/", "docker.io")]
    [InlineData("docker.io", "docker.io")]
    [InlineData("registry-1.docker.io", "docker.io")]
    [InlineData("localhost:5000", "localhost:5000")]
    public async Task Find_KeyInAnyForm_IsFound(string key, string host)
    {
        Write("home/.docker/config.json", Auths(key, "me:word:with:colons"));
        var found = await Files.FindAsync(host, null, default);
        Assert.Equal(("me", "word:with:colons"), (found?.UserName, found?.Password));
        Assert.Null(await Files.FindAsync("other.io", null, default));
    }

    [Fact]
    public async Task Find_PartsOfARegistry_TheNarrowestCounts()
    {
        Write("run/containers/auth.json", $$"""{ "auths": { "quay.io": {{Entry("all:x")}}, "quay.io/team": {{Entry("team:x")}}, "quay.io/team/app": {{Entry("app:x")}} } }""");
        foreach (var (repository, user) in new[] { ("team/app", "app"), ("team/app/x", "app"), ("team/application", "team"), ("teams/app", "all"), ("x", "all") })
            Assert.Equal(user, (await Files.FindAsync("quay.io", RepositoryName.Parse(repository), default))?.UserName);
        Assert.Equal("all", (await Files.FindAsync("quay.io", null, default))?.UserName);
    }

    [Fact]
    public async Task Find_SeveralFiles_TheFirstThatKnowsCounts()
    {
        Write("home/.docker/config.json", Auths("a.io", "docker:x"));
        Write("run/containers/auth.json", $$"""{ "auths": { "a.io": {{Entry("podman:x")}}, "b.io": {{Entry("podman:x")}} } }""");
        Write("home/.config/containers/auth.json", Auths("c.io", "config:x"));
        Assert.Equal("docker", (await Files.FindAsync("a.io", null, default))?.UserName);
        Assert.Equal("podman", (await Files.FindAsync("b.io", null, default))?.UserName);
        Assert.Equal("config", (await Files.FindAsync("c.io", null, default))?.UserName);

        Write("elsewhere/config.json", Auths("a.io", "elsewhere:x"));
        _environment["DOCKER_CONFIG"] = At("elsewhere");
        Assert.Equal("elsewhere", (await Files.FindAsync("a.io", null, default))?.UserName);

        Write("only.json", Auths("d.io", "only:x"));
        _environment["REGISTRY_AUTH_FILE"] = At("only.json");
        Assert.Equal("only", (await Files.FindAsync("d.io", null, default))?.UserName);
        Assert.Null(await Files.FindAsync("a.io", null, default));
    }

    [Theory]
    [InlineData("""{"identitytoken":"refresh","auth":"bWU6"}""", "refresh", null)]
    [InlineData("""{"registrytoken":"bearer"}""", null, "bearer")]
    public async Task Find_Tokens_AreKnown(string entry, string? identity, string? registry)
    {
        Write("home/.docker/config.json", $$"""{ "auths": { "a.io": {{entry}} } }""");
        var found = await Files.FindAsync("a.io", null, default);
        Assert.Equal((identity, registry), (found?.IdentityToken, found?.RegistryToken));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("")]
    [InlineData("""{"auths":{"a.io":{}}}""")]
    [InlineData("""{"auths":{"a.io":null}}""")]
    [InlineData("""{"auths":null}""")]
    [InlineData("""{"auths":{"a.io":{"auth":""}}}""")]
    public async Task Find_NothingThere_IsNobody(string json)
    {
        Write("home/.docker/config.json", json);
        Assert.Null(await Files.FindAsync("a.io", null, default));
    }

    [Theory]
    [InlineData("""{"auths":{"a.io":{"auth":"sEcReT:not base64"}}}""")]
    [InlineData("""{"auths":{"a.io":{"auth":"c0VjUmVU"}}}""")]
    [InlineData("""{"auths":{"a.io":{"auth":sEcReT}}}""")]
    [InlineData("""["sEcReT"]""")]
    [InlineData("""{"auths":{},"auths":{"sEcReT":{}}}""")]
    public async Task Find_BrokenFile_SaysWhichAndShowsNothing(string json)
    {
        Write("home/.docker/config.json", json);
        var failed = await Assert.ThrowsAsync<EngineException>(async () => await Files.FindAsync("a.io", null, default));
        Assert.Contains(At("home/.docker/config.json"), failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sEcReT", failed.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ broken")]
    [InlineData("[]")]
    public async Task Store_BrokenFile_IsLeftAsItIs(string json)
    {
        Write("home/.docker/config.json", json);
        await Assert.ThrowsAsync<EngineException>(() => Files.StoreAsync("a.io", Credential.OfPassword("me", "x"), default));
        Assert.Equal(json, File.ReadAllText(At("home/.docker/config.json")));
    }

    [Theory]
    [InlineData("home/.docker/config.json", null, "https://index.docker.io/v1/")]
    [InlineData("auth.json", "auth.json", "docker.io")]
    public async Task Store_NewFile_IsTheOwnersAlone(string path, string? authFile, string key)
    {
        if (authFile is not null) _environment["REGISTRY_AUTH_FILE"] = At(authFile);
        Assert.Equal(At(path), await Files.StoreAsync("docker.io", Credential.OfPassword("me", "pa+ss/wörd"), default));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At(path)));
        if (authFile is null) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(At("home/.docker")));
        Assert.Equal(Encoding.UTF8.GetBytes("me:pa+ss/wörd"), Convert.FromBase64String(JsonNode.Parse(File.ReadAllText(At(path)))!["auths"]![key]!["auth"]!.ToString()));
        Assert.Equal("pa+ss/wörd", (await Files.FindAsync("docker.io", null, default))?.Password);
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(At(path))!));
    }

    [Fact]
    public async Task StoreAndLogout_ExistingFile_KeepsEverythingElse()
    {
        Write("home/.docker/config.json", $$"""{ "HttpHeaders": { "X": "<ü>" }, "auths": { "https://a.io/v2/": {{Entry("old:x")}}, "b.io": {{Entry("b:x")}} }, "plugins": { "n": 1.50 } }""");
        File.SetUnixFileMode(At("home/.docker/config.json"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        await Files.StoreAsync("a.io", Credential.OfIdentityToken("refresh", "me"), default);
        var written = JsonNode.Parse(File.ReadAllText(At("home/.docker/config.json")))!;
        Assert.Equal(("<ü>", "1.50"), (written["HttpHeaders"]!["X"]!.ToString(), written["plugins"]!["n"]!.ToJsonString()));
        Assert.Equal(["b.io", "a.io"], written["auths"]!.AsObject().Select(entry => entry.Key));
        Assert.Equal("refresh", (await Files.FindAsync("a.io", null, default))?.IdentityToken);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("home/.docker/config.json")));

        Assert.Equal([At("home/.docker/config.json")], await Files.LogoutAsync("a.io"));
        Assert.Empty(await Files.LogoutAsync("a.io"));
        Assert.Null(await Files.FindAsync("a.io", null, default));
        Assert.Equal("b", (await Files.FindAsync("b.io", null, default))?.UserName);
    }

    [Fact]
    public async Task Store_FileIsALink_StaysOne()
    {
        Write("dotfiles/docker.json", """{ "x": 1 }""");
        Directory.CreateDirectory(At("home/.docker"));
        File.CreateSymbolicLink(At("home/.docker/config.json"), At("dotfiles/docker.json"));
        await Files.StoreAsync("a.io", Credential.OfPassword("me", "x"), default);
        Assert.Equal(At("dotfiles/docker.json"), new FileInfo(At("home/.docker/config.json")).LinkTarget);
        Assert.Contains("a.io", File.ReadAllText(At("dotfiles/docker.json")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Login_RegistryRefuses_NothingIsKept()
    {
        await using var server = await FakeServer.StartAsync(http =>
        {
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"x\"";
            return FakeServer.AnswerAsync(http, http.Request.Headers.Authorization == Remotes.Basic() ? 200 : 401);
        });
        using var registries = new RemoteRegistries(Remotes.Quick);
        await Remotes.FailsAsync(EngineFault.Denied, () => Files.LoginAsync(registries, server.Host, Credential.OfPassword(Remotes.UserName, "wrong")));
        Assert.False(File.Exists(At("home/.docker/config.json")));

        await Files.LoginAsync(registries, server.Host, Credential.OfPassword(Remotes.UserName, Remotes.Password));
        Assert.Equal(Remotes.Password, (await Files.FindAsync(server.Host, null, default))?.Password);
    }

    [Fact]
    public async Task Find_OfPodman_ReadsWhatPodmanWrote()
    {
        // What `podman login` 4.3 and `docker login` 20.10 leave behind, but for the words.
        Write("run/containers/auth.json", "{\n\t\"auths\": {\n\t\t\"127.0.0.1:5000\": {\n\t\t\t\"auth\": \"dGVzdGVyOlUqVQ==\"\n\t\t}\n\t}\n}");
        Assert.Equal(("tester", "U*U"), (await Files.FindAsync("127.0.0.1:5000", null, default)) is { } found ? (found.UserName, found.Password!) : default);
    }

    private static string Auths(string key, string credential) => $$"""{ "auths": { "{{key}}": {{Entry(credential)}} } }""";

    private static string Entry(string credential) => $$"""{ "auth": "{{Convert.ToBase64String(Encoding.UTF8.GetBytes(credential))}}" }""";

    private string At(string path) => Path.Combine(_folder.FullName, path);

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), text);
    }
}
