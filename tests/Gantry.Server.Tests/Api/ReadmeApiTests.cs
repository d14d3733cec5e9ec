using Gantry.TestKit;

namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class ReadmeApiTests(ApiServer server)
{
    [Fact]
    public async Task Readme_IsWrittenByMaintainers_AndReadByWhoMayPull()
    {
        var path = await NewAsync();
        (await server.SendAsync("GET", path, "reader")).Is(404);
        foreach (var who in new[] { "reader", "writer" }) (await server.SendAsync("PUT", path, who, new { markdown = "# no" })).Is(403);
        (await server.SendAsync("PUT", path, "stan", new { markdown = "# no" })).Is(404);
        var written = (await server.SendAsync("PUT", path, "maintainer", new { markdown = "# Yes\n\tand <script>" })).Is(200);
        Assert.Equal(("# Yes\n\tand <script>", "maintainer"), (written.Text("markdown"), written.Text("account")));
        var read = (await server.SendAsync("GET", path, "reader")).Is(200);
        Assert.Equal(written.Header("ETag"), read.Header("ETag"));
        Assert.Equal(304, (int)(await server.SendAsync("GET", path, "reader", null, ("If-None-Match", read.Header("ETag")!))).Status);
        (await server.SendAsync("DELETE", path, "writer")).Is(403);
        (await server.SendAsync("DELETE", path, "maintainer")).Is(204);
        (await server.SendAsync("DELETE", path, "maintainer")).Is(404);
    }

    [Fact]
    public async Task Change_NeedsTheTagOfWhatIsThereNow()
    {
        var path = await NewAsync();
        (await server.SendAsync("PUT", path, "maintainer", new { markdown = "a" }, ("If-Match", "*"))).Is(412);
        var first = (await server.SendAsync("PUT", path, "maintainer", new { markdown = "a" })).Is(200).Header("ETag")!;
        (await server.SendAsync("PUT", path, "maintainer", new { markdown = "b" }, ("If-Match", first))).Is(200);
        (await server.SendAsync("PUT", path, "maintainer", new { markdown = "c" }, ("If-Match", first))).Is(412);
        (await server.SendAsync("DELETE", path, "maintainer", null, ("If-Match", first))).Is(412);
        Assert.Equal("b", (await server.SendAsync("GET", path, "reader")).Text("markdown"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i => await server.SendAsync(
            "PUT", path, "maintainer", new { markdown = $"{i}" }, ("If-Match", (await server.SendAsync("GET", path, "reader")).Header("ETag")!))));
        Assert.All(answers, answer => Assert.True((int)answer.Status is 200 or 412));
        Assert.Contains(answers, answer => (int)answer.Status == 200);
    }

    [Fact]
    public async Task Readme_OfTheLargestSize_IsTaken_AndALargerOneIsNot()
    {
        var path = await NewAsync();
        (await server.SendAsync("PUT", path, "maintainer", new { markdown = new string('\n', 64 * 1024) })).Is(200);
        Assert.Equal(["markdown"], (await server.SendAsync("PUT", path, "maintainer", new { markdown = new string('x', 64 * 1024 + 1) })).Is(400).Faults);
        (await server.SendAsync("PUT", path, "maintainer", new { markdown = new string('ä', 33 * 1024) })).Is(413);
        (await server.SendAsync("PUT", path, "maintainer", new { markdown = new string('x', 500 * 1024) })).Is(413);
        Assert.Equal(["markdown"], (await server.SendAsync("PUT", path, "maintainer", new { markdown = "a\0b" })).Is(400).Faults);
        Assert.Equal(["markdown"], (await server.SendAsync("PUT", path, "maintainer", new { })).Is(400).Faults);
    }

    private async Task<string> NewAsync()
    {
        var ns = await server.NewNamespaceAsync();
        using var client = server.Server.Client("admin");
        await client.PushImageAsync($"{ns}/app", "v1", "layer"u8.ToArray());
        return $"{ImageServer.Path($"{ns}/app")}/readme";
    }
}
