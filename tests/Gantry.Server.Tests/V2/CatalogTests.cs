using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Gantry.Core.Access;
using Gantry.TestKit;

namespace Gantry.Server.Tests.V2;

/// <summary>The repositories that hold something, to those who may read them.</summary>
[Trait("Protocol", "D3.53")]
[Trait("Speed", "Slow")]
public sealed class CatalogTests
{
    [Fact]
    public async Task Get_ListsWhatHoldsSomething_PageByPage()
    {
        await using var server = await RegistryServer.StartAsync();
        using var client = server.Client();
        Assert.Equal("""{"repositories":[]}""", await client.GetStringAsync("/v2/_catalog"));

        string[] names = ["a", "a-b", "a/b", "a/b/c", "a0", "b"];
        foreach (var name in names) await client.PushImageAsync(name, "v1");
        await client.PushBlobAsync("only/a/blob", "blob"u8.ToArray());
        var emptied = await client.PushImageAsync("emptied", "v1", "layer"u8.ToArray());
        using (await client.DeleteAsync($"/v2/emptied/manifests/{emptied}"))
            Assert.Equal(names, await client.FollowNamesAsync("/v2/_catalog", "repositories"));

        foreach (var n in (int[])[1, 2, 3, 5, 6, 7])
        {
            var pages = await client.FollowAsync($"/v2/_catalog?n={n}", "repositories");
            Assert.Equal(names, pages.SelectMany(page => page).Select(name => name.GetString()));
            Assert.Equal((names.Length + n - 1) / n, pages.Count);
        }

        Assert.Equal(["a0", "b"], await client.FollowNamesAsync("/v2/_catalog?last=a%2Fb%2Fc", "repositories"));
        Assert.Empty(await client.FollowNamesAsync("/v2/_catalog?n=0", "repositories"));
    }

    [Fact]
    public async Task Get_IsForThoseWhoMayListIt()
    {
        await using var server = await RegistryServer.StartAsync("Access:Anonymous=Pull");
        using var admin = server.Client();
        using var nobody = server.Client(account: null);
        await admin.PushImageAsync("a/b", "v1");
        await admin.PushImageAsync("closed/b", "v1");
        await server.AddNamespaceAsync("a", Visibility.Public);

        // A token names what it is for: one for a repository lists nothing, one for the catalog everything that may be read.
        foreach (var (client, scope, expected) in ((HttpClient, string, string?)[])
        [
            (admin, "registry:catalog:*", """{"repositories":["a/b","closed/b"]}"""), (admin, "repository:a/b:pull", null),
            (nobody, "registry:catalog:*", """{"repositories":["a/b"]}"""),
        ])
        {
            var token = await client.GetJsonAsync($"/token?service=gantry&scope={scope}", "application/json; charset=utf-8");
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/_catalog");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.GetProperty("token").GetString());
            using var withToken = server.Client(account: null);
            using var answer = await withToken.SendAsync(request);
            if (expected is null) await answer.AssertErrorAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");
            else Assert.Equal(expected, await answer.Content.ReadAsStringAsync());
        }

        await server.RestartAsync("Access:Anonymous=None");
        using var stranger = server.Client(account: null);
        using var refused = await stranger.GetAsync("/v2/_catalog");
        await refused.AssertErrorAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");
        Assert.Contains("scope=\"registry:catalog:*\"", refused.Header("WWW-Authenticate"), StringComparison.Ordinal);
    }
}
