using Gantry.EndToEnd.Tests.Clients;

namespace Gantry.EndToEnd.Tests;

/// <summary>Registries of their own with `Access:Anonymous` set, and clients that have no credentials.</summary>
public sealed class AnonymousTests(Lab lab)
{
    [Fact]
    [Trait("Protocol", "D1.1")]
    public async Task AnonymousPull_LetsEverybodyPullFromAPublicNamespaceAndNobodyPush()
    {
        var registry = await lab.RegistryAsync("--Access:Anonymous=Pull");
        var skopeo = (await lab.SkopeoAsync()).Skopeo;
        var reference = $"{registry.Host}/open/tiny:v1";
        await skopeo.RunAsync("copy", "-q", "--dest-creds", $"{registry.User}:{registry.Password}",
            lab.Images.Layout("tiny"), $"docker://{reference}");
        var closed = await skopeo.TryAsync("inspect", "--no-creds", $"docker://{reference}");
        await registry.Admin.RunAsync("namespace", "set", "open", "--visibility", "public");

        var docker = await lab.DockerAsync();
        var nobody = docker.With(lab.NewFolder());
        var pull = await nobody.TryAsync("pull", reference);
        var said = await docker.RunAsync(reference, "/bin/echo", "pulled by nobody");
        var push = await nobody.TryAsync("push", reference);
        var ctr = await lab.CtrAsync();
        var ctrPull = await ctr.Ctr.TryAsync("images", "pull", "--plain-http", reference);
        var ctrPush = await ctr.Ctr.TryAsync("images", "push", "--plain-http", $"{registry.Host}/open/other:v1", reference);
        var inspect = await skopeo.TryAsync("inspect", "--no-creds", $"docker://{reference}");
        var gantry = await lab.GantryAsync();
        var gantryPull = await gantry.Gantry.TryAsync(["pull", .. gantry.As(null, reference), reference]);
        var gantryPush = await gantry.Gantry.TryAsync(["push", .. gantry.As(null, reference), lab.Images.Folder("tiny"), $"{registry.Host}/open/gantry:v1"]);
        await gantry.WipeAsync();

        Assert.NotEqual(0, closed.ExitCode);
        Assert.Equal(0, pull.Succeeded().ExitCode);
        Assert.Equal("pulled by nobody\n", said);
        Assert.NotEqual(0, push.ExitCode);
        Assert.Equal(0, ctrPull.Succeeded().ExitCode);
        Assert.NotEqual(0, ctrPush.ExitCode);
        Assert.Equal(0, inspect.Succeeded().ExitCode);
        Assert.Equal(0, gantryPull.Succeeded().ExitCode);
        Assert.Equal(GantryClient.Denied, gantryPush.ExitCode);
    }

    [Fact]
    public async Task AnonymousFull_LetsEverybodyPushPullAndDelete()
    {
        var registry = await lab.RegistryAsync("--Access:Anonymous=Full");
        var reference = $"{registry.Host}/open/tiny:v1";
        var docker = await lab.DockerAsync();
        var nobody = docker.With(lab.NewFolder());
        await docker.LoadAsync(lab.Images, "tiny", reference);
        var push = await nobody.TryAsync("push", reference);
        await docker.WipeAsync();
        var pull = await nobody.TryAsync("pull", reference);
        var gantry = await lab.GantryAsync();
        var gantryPush = await gantry.Gantry.TryAsync(["push", .. gantry.As(null, reference), lab.Images.Folder("tiny"), $"{registry.Host}/open/gantry:v1"]);
        var skopeo = (await lab.SkopeoAsync()).Skopeo;
        var delete = await skopeo.TryAsync("delete", "--no-creds", $"docker://{reference}");
        var gone = await skopeo.TryAsync("inspect", "--no-creds", $"docker://{reference}");

        Assert.Contains("digest: sha256:", push.Succeeded().Text);
        Assert.Equal(0, pull.Succeeded().ExitCode);
        Assert.Equal(0, gantryPush.Succeeded().ExitCode);
        Assert.Equal(0, delete.Succeeded().ExitCode);
        Assert.Contains("manifest unknown", gone.Text);
    }
}
