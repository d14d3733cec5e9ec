using System.Text.Json;

namespace Gantry.Server.Tests.Keyless;

/// <summary>A registry that trusts one project at each kind of issuer.</summary>
public sealed class TrustingRegistry : IAsyncLifetime
{
    internal KeylessRegistry Registry { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Registry = await KeylessRegistry.StartAsync();
        await Registry.TrustAsync(("repository", "acme/*"), ("ref", "refs/heads/main"), ("event_name", "push"));
        await Registry.TrustAsync(("project_path", "acme/*"), ("ref_protected", "true"), ("groups_direct", "acme/release"));
        await Registry.TrustAsync(("kubernetes.io.namespace", "ci"), ("kubernetes.io.serviceaccount.name", "build"));
    }

    public async ValueTask DisposeAsync() => await Registry.DisposeAsync();
}

/// <summary>Tokens with the claims of GitHub Actions, GitLab CI and Kubernetes.</summary>
public sealed class ClaimsTests(TrustingRegistry trusting) : IClassFixture<TrustingRegistry>
{
    [Theory]
    [InlineData("""{"repository":"acme/app","ref":"refs/heads/main","event_name":"push"}""", 200)]
    [InlineData("""{"repository":"acme/app","ref":"refs/heads/feature","event_name":"push"}""", 401)]
    [InlineData("""{"repository":"acme-evil/app","ref":"refs/heads/main","event_name":"push"}""", 401)]
    [InlineData("""{"repository":"evil/acme/app","ref":"refs/heads/main","event_name":"push"}""", 401)]
    [InlineData("""{"repository_owner":"acme","ref":"refs/heads/main","event_name":"push"}""", 401)]
    [InlineData("""{"project_path":"acme/app","ref_protected":"true","groups_direct":["acme/devs","acme/release"]}""", 200)]
    [InlineData("""{"project_path":"acme/app","ref_protected":"false","groups_direct":["acme/release"]}""", 401)]
    [InlineData("""{"project_path":"acme/app","ref_protected":true,"groups_direct":["acme/release"]}""", 200)]
    [InlineData("""{"project_path":"acme/app","ref_protected":"true","groups_direct":["acme/devs"]}""", 401)]
    [InlineData("""{"sub":"system:serviceaccount:ci:build","kubernetes.io":{"namespace":"ci","serviceaccount":{"name":"build"}}}""", 200)]
    [InlineData("""{"sub":"system:serviceaccount:dev:build","kubernetes.io":{"namespace":"dev","serviceaccount":{"name":"build"}}}""", 401)]
    [InlineData("""{"sub":"x","kubernetes.io.namespace":"ci","kubernetes.io":{"serviceaccount":{"name":"build"}}}""", 200)]
    [InlineData("""{"sub":"x","kubernetes.io":"ci"}""", 401)]
    public async Task Claims_OfEachKindOfIssuer_AreMatched(string claims, int status)
    {
        var more = JsonDocument.Parse(claims).RootElement.EnumerateObject().Select(claim => (claim.Name, (object?)claim.Value));

        var answer = await trusting.Registry.GetAsync("/v2/", KeylessRegistry.Basic(trusting.Registry.Issuer.Token([.. more])));

        Assert.Equal(status, (int)answer.Status);
    }
}
