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

        Assert.NotEqual(0, closed.ExitCode);
        Assert.Equal(0, pull.Succeeded().ExitCode);
        Assert.Equal("pulled by nobody\n", said);
        Assert.NotEqual(0, push.ExitCode);
        Assert.Equal(0, ctrPull.Succeeded().ExitCode);
        Assert.NotEqual(0, ctrPush.ExitCode);
        Assert.Equal(0, inspect.Succeeded().ExitCode);
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
        var skopeo = (await lab.SkopeoAsync()).Skopeo;
        var delete = await skopeo.TryAsync("delete", "--no-creds", $"docker://{reference}");
        var gone = await skopeo.TryAsync("inspect", "--no-creds", $"docker://{reference}");

        Assert.Contains("digest: sha256:", push.Succeeded().Text);
        Assert.Equal(0, pull.Succeeded().ExitCode);
        Assert.Equal(0, delete.Succeeded().ExitCode);
        Assert.Contains("manifest unknown", gone.Text);
    }
}
