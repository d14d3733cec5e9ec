using Gantry.Engine.Credentials;

namespace Gantry.Engine.Tests.Credentials;

/// <summary>Helpers are shell scripts here, in a folder that is all of PATH for the one who looks them up.</summary>
public sealed class CredentialHelperTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-helpers-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("credsStore")]
    [InlineData("credHelpers")]
    public async Task LoginAndLogout_WithHelper_PasswordIsNeverInTheFile(string setting)
    {
        // A store of one: what it is given it keeps; its arguments it writes down.
        Script("docker-credential-kept", $"""
            echo "$@" >> {_folder.FullName}/arguments
            case "$1" in
              store) cat > {_folder.FullName}/kept ;;
              get) cat > {_folder.FullName}/asked; if [ -f {_folder.FullName}/kept ]; then cat {_folder.FullName}/kept; else echo 'credentials not found in native keychain'; exit 1; fi ;;
              erase) cat > /dev/null; rm {_folder.FullName}/kept ;;
            esac
            """);
        var files = Files(setting == "credsStore" ? """{ "credsStore": "kept" }""" : """{ "credHelpers": { "https://index.docker.io/v1/": "kept" } }""");
        Assert.Null(await files.FindAsync("docker.io", null, default));
        Assert.Equal("docker-credential-kept", await files.StoreAsync("docker.io", Credential.OfPassword("me", "pass \"word\""), default));
        Assert.DoesNotContain("pass", File.ReadAllText(Path.Combine(_folder.FullName, "config.json")), StringComparison.Ordinal);

        var found = await files.FindAsync("docker.io", null, default);
        Assert.Equal(("me", "pass \"word\""), (found?.UserName, found?.Password));
        Assert.Equal("https://index.docker.io/v1/", File.ReadAllText(Path.Combine(_folder.FullName, "asked")));
        Assert.Equal(2, (await files.LogoutAsync("docker.io")).Count);
        Assert.Null(await files.FindAsync("docker.io", null, default));
        Assert.DoesNotContain(File.ReadAllLines(Path.Combine(_folder.FullName, "arguments")), line => line is not ("get" or "store" or "erase"));
    }

    [Fact]
    public async Task Get_UserCalledToken_IsAnIdentityToken()
    {
        Script("docker-credential-x", """cat > /dev/null; echo '{"ServerURL":"a.io","Username":"<token>","Secret":"refresh"}'""");
        Assert.Equal("refresh", (await Files("""{ "credsStore": "x" }""").FindAsync("a.io", null, default))?.IdentityToken);
    }

    [Fact]
    public async Task Get_HelperHasNone_FileIsAsked()
    {
        Script("docker-credential-x", "cat > /dev/null; echo 'credentials not found in native keychain'; exit 1");
        Assert.Equal("me", (await Files("""{ "credsStore": "x", "auths": { "a.io": { "auth": "bWU6eA==" } } }""").FindAsync("a.io", null, default))?.UserName);
    }

    [Theory]
    [InlineData("echo sEcReT; echo sEcReT >&2; exit 3", EngineFault.Local)]
    [InlineData("echo '{\"Secret\": sEcReT}'", EngineFault.Local)]
    [InlineData("echo '[\"sEcReT\"]'", EngineFault.Local)]
    [InlineData("echo '{\"Username\":\"a:b\",\"Secret\":\"sEcReT\"}'", EngineFault.Usage)]
    [InlineData("yes sEcReT", EngineFault.Local)]
    public async Task Get_HelperMisbehaves_SaysSoAndShowsNothing(string script, EngineFault fault)
    {
        Script("docker-credential-x", script);
        var failed = await Assert.ThrowsAsync<EngineException>(async () => await Files("""{ "credsStore": "x" }""").FindAsync("a.io", null, default));
        Assert.Equal(fault, failed.Fault);
        Assert.DoesNotContain("sEcReT", failed.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_HelperNeverEnds_IsEnded()
    {
        var time = new NowTime();
        Script("docker-credential-x", $"echo $$ > {_folder.FullName}/pid; sleep 1000 & wait");
        var failed = await Assert.ThrowsAsync<EngineException>(async () => await Files("""{ "credsStore": "x" }""", time).FindAsync("a.io", null, default));
        Assert.Contains("does not end", failed.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("x y")]
    [InlineData("x;id")]
    [InlineData("missing")]
    public async Task Get_NoSuchHelper_SaysSo(string name)
    {
        Script("docker-credential-x", "exit 0");
        var failed = await Assert.ThrowsAsync<EngineException>(async () => await Files($$"""{ "credsStore": "{{name}}" }""").FindAsync("a.io", null, default));
        Assert.Equal(EngineFault.Usage, failed.Fault);
    }

    [Fact]
    [Trait("Pull", "C106")]
    public async Task Get_HelperInTheCurrentFolder_IsNotFound()
    {
        var name = $"docker-credential-{Guid.NewGuid():N}";
        var here = Path.Combine(Environment.CurrentDirectory, name);
        Script(name, "exit 0");
        File.Move(Path.Combine(_folder.FullName, name), here);
        try
        {
            var files = CredentialFiles.FromEnvironment(variable => variable switch { "PATH" => "::.:relative", "DOCKER_CONFIG" => _folder.FullName, _ => null });
            File.WriteAllText(Path.Combine(_folder.FullName, "config.json"), $$"""{ "credsStore": "{{name["docker-credential-".Length..]}}" }""");
            var failed = await Assert.ThrowsAsync<EngineException>(async () => await files.FindAsync("a.io", null, default));
            Assert.Equal(EngineFault.Usage, failed.Fault);
        }
        finally
        {
            File.Delete(here);
        }
    }

    private void Script(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, $"#!/bin/sh\n{text}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private CredentialFiles Files(string config, TimeProvider? time = null)
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "config.json"), config);
        return CredentialFiles.FromEnvironment(name => name switch { "PATH" => $"relative:{_folder.FullName}", "DOCKER_CONFIG" => _folder.FullName, _ => null }, time: time);
    }

    /// <summary>Every wait is over in a moment.</summary>
    private sealed class NowTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : TimeSpan.FromMilliseconds(200), period);
    }
}
