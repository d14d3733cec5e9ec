using Gantry.Server.Tests.Auth;
using Gantry.TestKit;

namespace Gantry.Pages.Tests;

/// <summary>A registry on its first day: it is empty, and people come from the company's provider.</summary>
[Trait("Speed", "Slow")]
public sealed class FreshTests
{
    [Fact]
    public async Task EmptyRegistry_IsFitForAll_AndPeopleOfTheProviderSignIn()
    {
        await using var provider = await OidcProvider.StartAsync("corp", "RS256", groupsInIdToken: true);
        await provider.SetAsync("jane", "jane");
        await using var registry = await RegistryServer.StartAsync([.. provider.Settings("corp")]);

        foreach (var visitor in new[] { null, "admin" })
        {
            using var session = await PageSession.OpenAsync(registry.Address, visitor, RegistryServer.Password);
            await Chromium.RunAsync("walk", registry.Address, session, new() { ["paths"] = new[] { "/", "/namespaces" }, ["mostBytes"] = 100_000 });
        }

        await Chromium.RunAsync("signon", registry.Address, null, new() { ["others"] = new[] { provider.Issuer }, ["subject"] = "jane", ["account"] = "jane" });
    }
}
