namespace Gantry.EndToEnd.Tests;

/// <summary>What `docker search` shows of a registry. Docker sends no credential over plain http, so it is nobody who searches.</summary>
public sealed class SearchTests(Lab lab)
{
    [Fact]
    public async Task DockerSearch_FindsWhatEverybodyMayPull()
    {
        var registry = await lab.RegistryAsync("--Access:Anonymous=Pull");
        var skopeo = (await lab.SkopeoAsync()).Skopeo;
        foreach (var name in new[] { "found/tiny", "lost-found/tiny", "found/other" })
        {
            await skopeo.RunAsync("copy", "-q", "--dest-creds", $"{registry.User}:{registry.Password}",
                lab.Images.Layout("tiny"), $"docker://{registry.Host}/{name}:v1");
        }

        await registry.Admin.RunAsync("namespace", "set", "found", "--visibility", "public");
        var nobody = (await lab.DockerAsync()).With(lab.NewFolder());
        var found = await nobody.RunAsync("search", "--format", "{{.Name}} {{.IsOfficial}}", $"{registry.Host}/found/t");
        var all = await nobody.RunAsync("search", "--limit", "1", "--format", "{{.Name}}", $"{registry.Host}/found");
        Assert.Equal("found/tiny", found.Output.Trim());
        Assert.Equal("found/other", all.Output.Trim());
    }
}
