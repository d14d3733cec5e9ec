using System.Text.Json;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Api;

[Collection(typeof(ApiCollection))]
public sealed class DockerSearchTests(ApiServer server)
{
    [Fact]
    public async Task Search_FindsWhatTheCallerMayPull_AndNoMoreThanAsked()
    {
        var (open, closed) = (await server.NewNamespaceAsync("public"), await server.NewNamespaceAsync());
        using (var admin = server.Server.Client("admin"))
        {
            foreach (var name in new[] { $"{open}/searched", $"{open}/searched-too", $"{closed}/searched" }) await admin.PushImageAsync(name, "v1", "x"u8.ToArray());
        }

        Assert.Equal([$"{open}/searched", $"{open}/searched-too"], await FoundAsync(null, "searched"));
        Assert.Equal([$"{open}/searched", $"{open}/searched-too"], await FoundAsync("stan", "searched"));
        Assert.Equal(new[] { $"{open}/searched", $"{open}/searched-too", $"{closed}/searched" }.Order(StringComparer.Ordinal), await FoundAsync("reader", "searched"));
        Assert.Equal([$"{open}/searched-too"], await FoundAsync("stan", "too%20searched"));
        Assert.Single(await FoundAsync("reader", "searched&n=1"));
        Assert.Empty(await FoundAsync("reader", "%3Cscript%3E"));
    }

    [Theory]
    [InlineData("q=a&n=0", 400)]
    [InlineData("q=a&n=x", 400)]
    [InlineData("q=a%00", 400)]
    [InlineData("n=9999999999999999999999", 400)]
    [InlineData("q=a&n=99999999", 200)]
    [InlineData("", 200)]
    public async Task Search_WithAStrangeQuery_IsRefusedOrAnswered(string query, int status)
    {
        using var client = server.Server.Client("stan");
        using var response = await client.GetAsync($"/v1/search?{query}");
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task Search_WithAWrongPassword_IsRefused_AndAPingNeedsNone()
    {
        using var wrong = server.Server.Client("stan", "not it, not at all");
        using var refused = await wrong.GetAsync("/v1/search?q=a");
        Assert.Equal(401, (int)refused.StatusCode);
        using var nobody = server.Server.Client(account: null);
        using var ping = await nobody.GetAsync("/v1/_ping");
        Assert.Equal((200, "True"), ((int)ping.StatusCode, ping.Header("X-Docker-Registry-Standalone")));
    }

    private async Task<List<string?>> FoundAsync(string? who, string query)
    {
        using var client = server.Server.Client(who);
        var answer = JsonDocument.Parse(await client.GetStringAsync($"/v1/search?q={query}")).RootElement;
        var results = answer.GetProperty("results").EnumerateArray().ToList();
        Assert.Equal(results.Count, answer.GetProperty("num_results").GetInt32());
        Assert.All(results, result => Assert.False(result.GetProperty("is_official").GetBoolean()));
        return results.ConvertAll(result => result.GetProperty("name").GetString());
    }
}
