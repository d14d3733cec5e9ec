using Gantry.EndToEnd.Tests.Clients;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests;

/// <summary>Logging in, and what the registry refuses to those who have not.</summary>
public sealed class LoginTests(Lab lab)
{
    private const string WrongPassword = "wrong horse";

    // A registry of their own: the clients' wrong passwords would make the throttle refuse right ones elsewhere.
    private Task<RegistryUnderTest> PatientAsync() =>
        lab.RegistryAsync("--Access:Throttle:FailuresPerAccountAndAddress=1000");

    [Fact]
    public async Task DockerLogin_WithRightPassword_KeepsCredentialsThatPush()
    {
        var registry = await PatientAsync();
        var docker = await lab.DockerAsync();
        var config = lab.NewFolder();
        var login = await docker.With(config).TryWithInputAsync(
            registry.Password, "login", "--username", registry.User, "--password-stdin", registry.Host);
        var reference = $"{registry.Host}/login/docker:v1";
        await docker.LoadAsync(lab.Images, "tiny", reference);
        var push = await docker.With(config).TryAsync("push", reference);

        Assert.Contains("Login Succeeded", login.Succeeded().Text);
        Assert.Contains("digest: sha256:", push.Succeeded().Text);
    }

    [Fact]
    public async Task DockerLogin_WithWrongPassword_IsRefusedAndKeepsNothing()
    {
        var registry = await PatientAsync();
        var docker = await lab.DockerAsync();
        var config = lab.NewFolder();
        var login = await docker.With(config).TryWithInputAsync(
            WrongPassword, "login", "--username", registry.User, "--password-stdin", registry.Host);

        Assert.NotEqual(0, login.ExitCode);
        Assert.Contains("unauthorized", login.Text);
        Assert.DoesNotContain(registry.Host, Contents(Path.Combine(config, "config.json")));
    }

    [Theory]
    [InlineData("podman")]
    [InlineData("buildah")]
    [InlineData("skopeo")]
    [InlineData("gantry")]
    public async Task Login_TellsRightFromWrong(string name)
    {
        var registry = await PatientAsync();
        var tool = await lab.ClientAsync(name) switch
        {
            SkopeoClient skopeo => skopeo.Skopeo,
            GantryClient gantry => gantry.Gantry,
            var client => ((ContainersStore)client).Tool,
        };
        var file = Path.Combine(lab.NewFolder(), "auth.json");
        string[] login =
            ["login", "--authfile", file, "--username", registry.User, "--password-stdin", registry.Host];

        var wrong = await tool.TryWithInputAsync(WrongPassword, login);
        var afterWrong = Contents(file);
        var right = await tool.TryWithInputAsync(registry.Password, login);

        Assert.NotEqual(0, wrong.ExitCode);
        Assert.Contains(name == "gantry" ? "incorrect username or password" : "invalid username/password", wrong.Text);
        Assert.DoesNotContain(registry.Host, afterWrong);
        Assert.Contains("Login Succeeded", right.Succeeded().Text, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(registry.Host, Contents(file));
    }

    /// <summary>docker keeps a token of the registry's, gantry the password: each takes what the other wrote, and takes it away.</summary>
    [Theory]
    [InlineData("docker", "gantry")]
    [InlineData("gantry", "docker")]
    public async Task Login_OfOne_IsTheOthersToo(string first, string other)
    {
        var registry = await PatientAsync();
        var (docker, gantry, folder) = (await lab.DockerAsync(), await lab.GantryAsync(), lab.NewFolder());
        var reference = $"{registry.Host}/login/{first}-{other}:v1";
        var digest = GantryClient.Digest(await gantry.Gantry.RunAsync(
            ["push", "-q", .. gantry.As(new Login(registry.User, registry.Password), reference), lab.Images.Folder("tiny"), reference]));

        var login = await As(first).TryWithInputAsync(registry.Password, "login", "--username", registry.User, "--password-stdin", registry.Host);
        var pulled = await PullAsync();
        var logout = await As(other).TryAsync("logout", registry.Host);
        var after = await As(first).TryAsync("pull", reference);
        await docker.WipeAsync();
        await gantry.WipeAsync();

        Assert.Equal(0, login.Succeeded().ExitCode);
        Assert.Equal(digest, pulled);
        Assert.Equal(0, logout.Succeeded().ExitCode);
        Assert.NotEqual(0, after.ExitCode);
        Assert.DoesNotContain(registry.Host, Contents(Path.Combine(folder, "config.json")));

        Command As(string name) => name == "docker" ? docker.With(folder) : gantry.With(("DOCKER_CONFIG", folder), ("REGISTRY_AUTH_FILE", ""));

        async Task<string> PullAsync() => other == "docker" ? DockerClient.Digest(await As(other).RunAsync("pull", reference))
            : GantryClient.Digest(await As(other).RunAsync("pull", "-q", reference));
    }

    [Fact]
    public async Task Pull_WithoutCredentials_IsRefused()
    {
        await lab.SeedAsync("tiny", "login/closed");
        var reference = $"{lab.Registry.Host}/login/closed:latest";
        var docker = await (await lab.DockerAsync()).With(lab.NewFolder()).TryAsync("pull", reference);
        var ctr = await (await lab.CtrAsync()).Ctr.TryAsync("images", "pull", "--plain-http", reference);
        var skopeo = await (await lab.SkopeoAsync()).Skopeo.TryAsync("inspect", "--no-creds", $"docker://{reference}");
        var ours = await lab.GantryAsync();
        var gantry = await ours.Gantry.TryAsync(["pull", .. ours.As(null, reference), reference]);

        Assert.All([docker, ctr, skopeo, gantry], result => Assert.NotEqual(0, result.ExitCode));
        Assert.Contains("pull access denied", docker.Text);
        Assert.Contains("pull access denied", ctr.Text);
        Assert.Contains("denied: asked for pull on login/closed; granted is nothing", skopeo.Text);
        Assert.Contains("asked for pull on login/closed; granted is nothing", gantry.Text);
        Assert.Equal(GantryClient.Denied, gantry.ExitCode);
    }

    [Fact]
    public async Task Pull_WithWrongPassword_IsRefused()
    {
        var registry = await PatientAsync();
        var reference = $"{registry.Host}/login/closed:latest";
        var creds = $"{registry.User}:{WrongPassword}";
        var ctr = await (await lab.CtrAsync()).Ctr.TryAsync("images", "pull", "--plain-http", "--user", creds, reference);
        var podman = await (await lab.PodmanAsync()).Tool.TryAsync("pull", "--creds", creds, reference);
        var ours = await lab.GantryAsync();
        var gantry = await ours.Gantry.TryAsync(["pull", .. ours.As(new Login(registry.User, WrongPassword), reference), reference]);

        Assert.NotEqual(0, ctr.ExitCode);
        Assert.NotEqual(0, podman.ExitCode);
        Assert.Contains("unauthorized", podman.Text);
        Assert.Contains("incorrect username or password", gantry.Text);
        Assert.DoesNotContain(WrongPassword, gantry.Text);
        Assert.Equal(GantryClient.Denied, gantry.ExitCode);
    }

    private static string Contents(string file) => File.Exists(file) ? File.ReadAllText(file) : "";
}
