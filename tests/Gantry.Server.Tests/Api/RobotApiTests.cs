using System.Net;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class RobotApiTests(ApiServer server)
{
    [Fact]
    public async Task Robot_MadeByAMaintainer_LogsInWithItsTokenAndPushes()
    {
        var ns = server.NewName("team");
        (await server.SendAsync("POST", "/namespaces", "may", new { name = ns })).Is(201);
        var robot = (await server.SendAsync("POST", $"/namespaces/{ns}/robots", "may", new { name = "ci", role = "writer" })).Is(201);
        Assert.Equal(($"robot.{ns}.ci", "robot"), (robot.Text("name"), robot.Text("kind")));
        var token = await server.NewTokenAsync($"robot.{ns}.ci", "may", $"repository:{ns}/*:pull,push");
        Assert.Matches("^gantry_rob_[0-9A-Za-z]{38}$", token);

        using var client = server.Server.Client($"robot.{ns}.ci", token);
        using var login = await client.GetAsync("/v2/");
        Assert.Equal(HttpStatusCode.OK, login.StatusCode);
        await client.PushImageAsync($"{ns}/app", "v1", "layer"u8.ToArray());
        using var pulled = await client.GetAsync($"/v2/{ns}/app/manifests/v1");
        Assert.Equal(HttpStatusCode.OK, pulled.StatusCode);
        Assert.Equal($"robot.{ns}.ci", (await server.LastEventAsync("push", ns)).GetProperty("account").GetString());
    }

    [Fact]
    public async Task Robot_ThatIsDisabled_IsOutAtOnce_AndInAgain()
    {
        var (ns, robot, token) = await NewRobotAsync("writer");
        var path = $"/namespaces/{ns}/robots/{robot}";
        (await server.SendAsync("GET", "/me", ApiServer.Bearer(token))).Is(200);
        Assert.True((await server.SendAsync("PATCH", path, "maintainer", new { disabled = true })).Is(200)["disabled"].GetBoolean());
        (await server.SendAsync("GET", "/me", ApiServer.Bearer(token))).Is(401);
        (await server.SendAsync("PATCH", path, "maintainer", new { disabled = false })).Is(200);
        (await server.SendAsync("GET", "/me", ApiServer.Bearer(token))).Is(200);
        var change = await server.LastEventAsync("account.change", ns);
        Assert.Equal((robot, "enabled"), (change.GetProperty("subject").GetString(), change.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task Robot_ReadByItself_HasTheTagThatAChangeNames()
    {
        var (ns, robot, _) = await NewRobotAsync("reader");
        var path = $"/namespaces/{ns}/robots/{robot}";
        (await server.SendAsync("GET", path, "writer")).Is(403);
        var read = (await server.SendAsync("GET", path, "maintainer")).Is(200);
        Assert.Equal(robot, read.Text("name"));
        var tag = read.Header("ETag")!;
        Assert.Equal(304, (int)(await server.SendAsync("GET", path, "maintainer", null, ("If-None-Match", tag))).Status);
        var changed = (await server.SendAsync("PATCH", path, "maintainer", new { disabled = true }, ("If-Match", tag))).Is(200).Header("ETag")!;
        (await server.SendAsync("PATCH", path, "maintainer", new { disabled = false }, ("If-Match", tag))).Is(412);
        (await server.SendAsync("DELETE", path, "maintainer", null, ("If-Match", tag))).Is(412);
        Assert.True((await server.SendAsync("GET", path, "maintainer")).Is(200)["disabled"].GetBoolean());
        (await server.SendAsync("DELETE", path, "maintainer", null, ("If-Match", changed))).Is(204);
        (await server.SendAsync("GET", path, "maintainer")).Is(404);
    }

    [Fact]
    public async Task Robot_ThatIsDeleted_IsGoneWithItsTokens()
    {
        var (ns, robot, token) = await NewRobotAsync("reader");
        (await server.SendAsync("DELETE", $"/namespaces/{ns}/robots/{robot}", "maintainer")).Is(204);
        (await server.SendAsync("DELETE", $"/namespaces/{ns}/robots/{robot}", "maintainer")).Is(404);
        (await server.SendAsync("GET", "/me", ApiServer.Bearer(token))).Is(401);
    }

    [Fact]
    public async Task AccountsOfOthers_AreNoRobotsOfThisNamespace()
    {
        var mine = await server.NewNamespaceAsync();
        var (ns, theirs, token) = await NewRobotAsync("reader");
        (await server.SendAsync("DELETE", $"/namespaces/{ns}/members/accounts/maintainer")).Is(204);
        foreach (var account in new[] { theirs, "stan", "admin", "robot.x", "Upper" })
        {
            (await server.SendAsync("PATCH", $"/namespaces/{mine}/robots/{account}", "maintainer", new { disabled = true })).Is(404);
            (await server.SendAsync("DELETE", $"/namespaces/{mine}/robots/{account}", "maintainer")).Is(404);
        }

        (await server.SendAsync("POST", $"/accounts/{theirs}/tokens", "maintainer", new { name = "x", scopes = new[] { "*" } })).Is(403);
        (await server.SendAsync("GET", "/me", ApiServer.Bearer(token))).Is(200);
        (await server.SendAsync("GET", "/me", "stan")).Is(200);
    }

    [Theory]
    [InlineData("a.b")]
    [InlineData("Upper")]
    [InlineData("-x")]
    [InlineData("")]
    public async Task Name_ThatIsNone_IsRefused(string name)
    {
        var ns = await server.NewNamespaceAsync();
        Assert.Equal(["name"], (await server.SendAsync("POST", $"/namespaces/{ns}/robots", "admin", new { name, role = "reader" })).Is(400).Faults);
    }

    [Fact]
    public async Task List_PagesToTheEnd_AndATakenNameConflicts()
    {
        var ns = await server.NewNamespaceAsync();
        for (var i = 0; i < 5; i++)
            (await server.SendAsync("POST", $"/namespaces/{ns}/robots", "maintainer", new { name = $"r{i}", role = "reader" })).Is(201);
        (await server.SendAsync("POST", $"/namespaces/{ns}/robots", "maintainer", new { name = "r0", role = "reader" })).Is(409);
        var pages = await server.PagesAsync($"/namespaces/{ns}/robots?limit=2", "maintainer");
        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"robot.{ns}.r{i}"), pages.SelectMany(page => page).Select(robot => robot.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task Robot_HasNoPasswordAndIsNoAdministrator()
    {
        var (_, robot, _) = await NewRobotAsync("reader");
        (await server.SendAsync("PUT", $"/accounts/{robot}/password", "admin", new { password = "12345678" })).Is(409);
        (await server.SendAsync("PATCH", $"/accounts/{robot}", "admin", new { isAdministrator = true })).Is(409);
    }

    private async Task<(string Namespace, string Robot, string Token)> NewRobotAsync(string role)
    {
        var ns = await server.NewNamespaceAsync();
        var robot = (await server.SendAsync("POST", $"/namespaces/{ns}/robots", "maintainer", new { name = "ci", role })).Is(201).Text("name")!;
        return (ns, robot, await server.NewTokenAsync(robot, "maintainer", "*"));
    }
}
