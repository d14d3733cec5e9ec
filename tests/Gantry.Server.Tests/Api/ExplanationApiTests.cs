namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class ExplanationApiTests(ApiServer server)
{
    [Theory]
    [InlineData("reader", "pull", true)]
    [InlineData("reader", "push", false)]
    [InlineData("writer", "push", true)]
    [InlineData("writer", "delete", false)]
    [InlineData("maintainer", "delete", true)]
    public async Task Explanation_SaysWhatHolds_AndWhy(string role, string action, bool allowed)
    {
        var ns = await server.NewNamespaceAsync();
        foreach (var who in new[] { "admin", "maintainer", role })
        {
            var why = (await server.SendAsync("GET", $"/explain?account={role}&action={action}&repository={ns}/app", who)).Is(200);
            Assert.Equal(allowed, why["allowed"].GetBoolean());
            Assert.Contains(why["path"].EnumerateArray(), step => step.GetString()!.Contains($"role {role} in {ns}", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Strangers_LearnNothing_NotEvenAboutThemselves()
    {
        var (hidden, missing) = (await server.NewNamespaceAsync(), server.NewName("missing"));
        foreach (var account in new[] { "stan", "self", "", "reader", "admin", "nobody-here" })
        {
            var one = (await server.SendAsync("GET", $"/explain?account={account}&action=pull&repository={hidden}/a", "stan")).Is(404);
            var other = (await server.SendAsync("GET", $"/explain?account={account}&action=pull&repository={missing}/a", "stan")).Is(404);
            Assert.Equal(one.Text("detail")!.Replace(hidden, "X"), other.Text("detail")!.Replace(missing, "X"));
        }
    }

    [Fact]
    public async Task Members_AskAboutThemselvesAlone()
    {
        var ns = await server.NewNamespaceAsync();
        (await server.SendAsync("GET", $"/explain?action=push&repository={ns}/a", "reader")).Is(200);
        (await server.SendAsync("GET", $"/explain?account=writer&action=push&repository={ns}/a", "reader")).Is(403);
        (await server.SendAsync("GET", $"/explain?account=nobody-here&action=push&repository={ns}/a", "reader")).Is(403);
    }

    [Fact]
    public async Task Administrators_AskAboutWhatIsNotThereToo()
    {
        var why = (await server.SendAsync("GET", $"/explain?account=nobody-here&action=pull&repository={server.NewName()}/a")).Is(200);
        Assert.False(why["allowed"].GetBoolean());
        Assert.Equal("there is no account nobody-here", why["path"][0].GetString());
    }
}
