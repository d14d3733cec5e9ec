namespace Gantry.EndToEnd.Tests;

/// <summary>Push by one client, wipe, pull by another, run: both name the digest that the registry has.</summary>
public sealed class PushAndPullTests(Lab lab)
{
    private static readonly string[] Names = ["docker", "ctr", "podman", "buildah", "skopeo", "gantry"];

    public static TheoryData<string, string> Pairs() =>
        new(from pusher in Names from puller in Names select (pusher, puller));

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task DebianImage_PushedByOne_RunsFromAnother(string pusher, string puller)
    {
        var repository = $"matrix/{pusher}";
        var reference = $"{lab.Registry.Host}/{repository}:v1";
        var pushed = await lab.PushedAsync("debian", pusher, reference);

        var to = await lab.ClientAsync(puller);
        await to.WipeAsync();
        var pulled = await to.PullAsync(reference);
        var said = await to.RunAsync(reference, "/usr/local/bin/hello");
        await to.WipeAsync();

        Assert.Equal("hello from a Debian image of several layers\n", said);
        Assert.Equal(pushed, pulled);
        Assert.Equal(pushed, await lab.Registry.DigestAsync(repository, "v1"));
    }
}
