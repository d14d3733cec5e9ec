using System.Net;
using Gantry.Core.Access;
using Gantry.Oci;
using Gantry.Server.Tests.V2;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Access;

/// <summary>A blob is taken over only from where it may be read; everything else is a miss, as if the blob were nowhere.</summary>
[Trait("Speed", "Slow")]
public sealed class MountAcrossNamespacesTests : IAsyncLifetime
{
    private const string Target = "mine/app";

    private readonly byte[] _content = UploadSteps.NewContent(1000);
    private RegistryServer _server = null!;
    private HttpClient _admin = null!;

    private Digest Digest => Digest.Of(_content);

    // jane is a writer of mine, and of shared too, but for shared/secret-*.
    public async ValueTask InitializeAsync()
    {
        _server = await RegistryServer.StartAsync();
        _admin = _server.Client();
        await _server.CreateAccountAsync("jane", RegistryServer.Password);
        await _server.AddNamespaceAsync("mine");
        await _server.AddNamespaceAsync("shared");
        await _server.AddNamespaceAsync("closed");
        await _server.AddNamespaceAsync("open", Visibility.Public);
        await _server.SetRoleAsync("mine", "jane", NamespaceRole.Writer);
        await _server.SetRoleAsync("shared", "jane", NamespaceRole.Writer);
        await _server.AddRuleAsync("shared", "shared/secret-*", RuleAudience.Writer, RepositoryActions.Pull);
        await _server.AddRuleAsync("open", "open/secret-*", RuleAudience.Public, RepositoryActions.Pull);
    }

    public async ValueTask DisposeAsync()
    {
        _admin.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("open/app", true)]
    [InlineData("shared/app", true)]
    [InlineData("mine/other", true)]
    [InlineData("closed/app", false)]
    [InlineData("shared/secret-app", false)]
    [InlineData("open/secret-app", false)]
    public async Task Mount_TakesWhatMayBePulled_WithAPasswordAndWithAToken(string source, bool taken)
    {
        await _admin.PushBlobAsync(source, _content);
        using var basic = _server.Client("jane");
        using var both = await TokenClientAsync(basic, $"repository:{Target}:pull,push", $"repository:{source}:pull");
        using var target = await TokenClientAsync(basic, $"repository:{Target}:pull,push");

        foreach (var (client, from, mounted) in ((HttpClient, string?, bool)[])
            [(target, source, false), (basic, source, taken), (both, source, taken), (basic, null, taken), (target, null, taken)])
        {
            using var post = await client.PostAsync(
                $"/v2/{Target}/blobs/uploads/?mount={Digest}{(from is null ? "" : $"&from={from}")}", null);
            Assert.Equal(mounted ? HttpStatusCode.Created : HttpStatusCode.Accepted, post.StatusCode);
            // What was taken over is given back: the next one is to find it in its source alone.
            if (mounted) (await _admin.DeleteAsync($"/v2/{Target}/blobs/{Digest}")).Dispose();
        }
    }

    private async Task<HttpClient> TokenClientAsync(HttpClient basic, params string[] scopes)
    {
        var query = string.Concat(scopes.Select(scope => $"&scope={scope}"));
        using var reply = System.Text.Json.JsonDocument.Parse(await basic.GetStringAsync($"/token?service=gantry{query}"));
        var client = _server.Client(account: null);
        client.DefaultRequestHeaders.Authorization = new("Bearer", reply.RootElement.GetProperty("token").GetString());
        return client;
    }
}
