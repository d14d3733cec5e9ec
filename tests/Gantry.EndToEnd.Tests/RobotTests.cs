using System.Net.Http.Json;
using System.Text.Json;
using Gantry.EndToEnd.Tests.Clients;
using Gantry.EndToEnd.Tests.Running;

namespace Gantry.EndToEnd.Tests;

/// <summary>What a team sets up for its pipeline, through the management API, with the clients that the pipeline has.</summary>
public sealed class RobotTests(Lab lab)
{
    [Fact]
    public async Task Robot_MadeThroughTheApi_Pushes_UntilItsTokenIsRevoked()
    {
        var registry = await lab.RegistryAsync();
        using var api = registry.Http();
        await MakeAsync(api, "namespaces", new { name = "pipeline" });
        await MakeAsync(api, "namespaces/pipeline/robots", new { name = "ci", role = "writer" });
        var token = await MakeAsync(api, "accounts/robot.pipeline.ci/tokens", new { name = "docker", scopes = new[] { "repository:pipeline/*:pull,push" } });

        var (docker, config) = (await lab.DockerAsync(), lab.NewFolder());
        var login = await docker.With(config).TryWithInputAsync(
            token.GetProperty("token").GetString()!, "login", "--username", "robot.pipeline.ci", "--password-stdin", registry.Host);
        Assert.Contains("Login Succeeded", login.Succeeded().Text);
        await docker.LoadAsync(lab.Images, "tiny", $"{registry.Host}/pipeline/app:v1");
        await docker.LoadAsync(lab.Images, "tiny", $"{registry.Host}/elsewhere/app:v1");
        (await docker.With(config).TryAsync("push", $"{registry.Host}/pipeline/app:v1")).Succeeded();
        Assert.NotEqual(0, (await docker.With(config).TryAsync("push", $"{registry.Host}/elsewhere/app:v1")).ExitCode);

        var gantry = await lab.GantryAsync();
        string[] robot = gantry.As(new Login("robot.pipeline.ci", token.GetProperty("token").GetString()!), $"{registry.Host}/pipeline");
        await gantry.Gantry.RunAsync(["push", .. robot, lab.Images.Folder("tiny"), $"{registry.Host}/pipeline/app:v2"]);
        var elsewhere = await gantry.Gantry.TryAsync(["push", .. robot, lab.Images.Folder("tiny"), $"{registry.Host}/elsewhere/app:v2"]);
        Assert.Equal(GantryClient.Denied, elsewhere.ExitCode);

        using var revoked = await api.DeleteAsync($"/api/v1/accounts/robot.pipeline.ci/tokens/{token.GetProperty("id")}");
        revoked.EnsureSuccessStatusCode();
        var pull = await docker.With(config).TryAsync("pull", $"{registry.Host}/pipeline/app:v1");
        Assert.NotEqual(0, pull.ExitCode);
        Assert.Contains("unauthorized", pull.Text);
        Assert.Equal(GantryClient.Denied, (await gantry.Gantry.TryAsync(["pull", .. robot, $"{registry.Host}/pipeline/app:v2"])).ExitCode);
    }

    private static async Task<JsonElement> MakeAsync(HttpClient api, string path, object body)
    {
        using var answer = await api.PostAsJsonAsync($"/api/v1/{path}", body);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }
}
