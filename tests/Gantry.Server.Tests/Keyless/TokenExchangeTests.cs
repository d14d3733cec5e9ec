using System.Net;

namespace Gantry.Server.Tests.Keyless;

[Trait("Speed", "Slow")]
public sealed class TokenExchangeTests : IAsyncLifetime
{
    private KeylessRegistry _registry = null!;

    public async ValueTask InitializeAsync()
    {
        _registry = await KeylessRegistry.StartAsync();
        await _registry.TrustAsync(("sub", "someone"));
    }

    public async ValueTask DisposeAsync() => await _registry.DisposeAsync();

    [Theory]
    [InlineData("urn:ietf:params:oauth:token-type:jwt")]
    [InlineData("urn:ietf:params:oauth:token-type:id_token")]
    public async Task Exchange_GivesABearerToken_AsRfc8693Says(string type)
    {
        var reply = await _registry.PostTokenAsync(
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("subject_token", _registry.Issuer.Token()),
            ("subject_token_type", type), ("scope", "repository:acme/app:pull,push,delete repository:b/c:pull"));

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal("urn:ietf:params:oauth:token-type:access_token", reply.Text("issued_token_type"));
        Assert.Equal("Bearer", reply.Text("token_type"));
        Assert.Equal("repository:acme/app:pull,push", reply.Text("scope"));
        Assert.Equal(300, reply.Json.GetProperty("expires_in").GetInt32());
        Assert.False(reply.Json.TryGetProperty("refresh_token", out _));
        var found = await _registry.GetAsync("/v2/acme/app/manifests/x", $"Bearer {reply.Text("access_token")}");
        Assert.Equal(HttpStatusCode.NotFound, found.Status);
    }

    [Fact]
    public async Task Exchange_Offline_GivesARefreshTokenThatWorks()
    {
        var reply = await _registry.ExchangeAsync(_registry.Issuer.Token(), ("access_type", "offline"));
        var bearer = await _registry.BearerAsync(reply.Text("refresh_token"));
        Assert.Equal(HttpStatusCode.NotFound, (await _registry.GetAsync("/v2/acme/app/manifests/x", bearer)).Status);
    }

    [Theory]
    [InlineData("subject_token", "")]
    [InlineData("subject_token_type", "")]
    [InlineData("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")]
    [InlineData("subject_token_type", "urn:ietf:params:oauth:token-type:saml2")]
    [InlineData("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")]
    [InlineData("actor_token", "x")]
    public async Task Exchange_OfAnotherKind_IsAnInvalidRequest(string key, string value)
    {
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "urn:ietf:params:oauth:grant-type:token-exchange", ["subject_token"] = _registry.Issuer.Token(),
            ["subject_token_type"] = "urn:ietf:params:oauth:token-type:jwt", [key] = value,
        };
        var reply = await _registry.PostTokenAsync([.. form.Select(pair => (pair.Key, pair.Value))]);
        Assert.Equal(HttpStatusCode.BadRequest, reply.Status);
        Assert.Equal("invalid_request", reply.Text("error"));
        Assert.Contains(key, reply.Text("error_description"));
    }
}
