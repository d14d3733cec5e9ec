using Gantry.EndToEnd.Tests.Clients;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests;

/// <summary>What was pushed before a restart of the server is there after it; run.sh keeps its contract.</summary>
public sealed class RestartTests(Lab lab)
{
    [Fact]
    public async Task Restart_BetweenPushAndPull_KeepsEverything()
    {
        await using var registry = await RegistryUnderTest.StartAsync(lab.NewFolder());
        var skopeo = (await lab.SkopeoAsync()).Skopeo;
        string[] source = ["--src-tls-verify=false", "--src-creds", $"{registry.User}:{registry.Password}"];
        string[] target = ["--dest-tls-verify=false", "--dest-creds", $"{registry.User}:{registry.Password}"];
        await skopeo.RunAsync(["copy", "-q", "--all", "--preserve-digests", .. target,
            lab.Images.Layout("debian"), $"docker://{registry.Host}/kept/debian:v1"]);
        await skopeo.RunAsync(["copy", "-q", "--all", "--preserve-digests", .. target,
            lab.Images.Layout("multi"), $"docker://{registry.Host}/kept/multi:v1"]);

        var gantry = await lab.GantryAsync();
        string[] pull = ["pull", "-q", .. gantry.As(new Login(registry.User, registry.Password), $"{registry.Host}/kept"), $"{registry.Host}/kept/debian:v1"];

        await registry.StopAsync();
        var away = await gantry.Gantry.TryAsync(pull);
        await registry.StartAgainAsync();
        var pulled = await gantry.Gantry.RunAsync(pull);
        await gantry.WipeAsync();
        var back = lab.NewFolder();
        await skopeo.RunAsync(["copy", "-q", .. source, $"docker://{registry.Host}/kept/debian:v1", $"oci:{back}:v1"]);

        Assert.Equal(GantryClient.Away, away.ExitCode);
        Assert.Equal(lab.Images.Digest("debian"), GantryClient.Digest(pulled));
        Assert.Equal(lab.Images.Digest("debian"), await registry.DigestAsync("kept/debian", "v1"));
        Assert.Equal(lab.Images.Digest("multi"), await registry.DigestAsync("kept/multi", "v1"));
    }

    [Fact]
    public async Task LaterStart_IsReadySoon_AndSigtermEndsIt()
    {
        await using var registry = await RegistryUnderTest.StartAsync(lab.NewFolder());
        var ready = new List<TimeSpan>();
        for (var start = 0; start < 3; start++)
        {
            Assert.Equal(0, await registry.StopAsync());
            ready.Add(await registry.StartAgainAsync());
        }
        Lab.Say($"ready after {string.Join(", ", ready.Select(time => $"{time.TotalSeconds:0.00} s"))}");

        // Shown, and held to a hang's length only: the promise is two seconds on a machine that has nothing else to do.
        Assert.InRange(ready.Min(), TimeSpan.Zero, TimeSpan.FromSeconds(30));
    }
}
