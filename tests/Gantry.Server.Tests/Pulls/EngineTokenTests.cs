using Gantry.Core.Access;
using Gantry.Engine;
using Gantry.Engine.Tests.Pulls;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Pulls;

/// <summary>The engine and our token service: how often it is asked, and what a person reads who may not.</summary>
public sealed class EngineTokenTests : IAsyncLifetime
{
    private readonly ManualTime _time = new();
    private RegistryServer _server = null!;
    private ReverseProxy _front = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await RegistryServer.StartAsync(_time, []);
        _front = await ReverseProxy.StartAsync(_server.Address);
        using var admin = _server.Client();
        await TestImage.OfSize(layers: 3, bytes: 100_000, seed: 5).PushAsync(admin, "team/app");
        await _server.CreateAccountAsync("reader", "reader-password");
        await _server.SetRoleAsync("team", "reader", NamespaceRole.Reader);
        await _server.CreateAccountAsync("stranger", "stranger-password");
    }

    [Fact]
    public async Task Pull_OfSeveralLayers_AsksForOneToken()
    {
        using var engine = new EngineClient("reader", "reader-password");
        await engine.PullAsync(_front.Address, "team/app");
        Assert.Equal(1, Tokens());
    }

    [Fact]
    public async Task Pull_ThatOutlivesItsToken_AsksForAnother()
    {
        using var engine = new EngineClient("reader", "reader-password");
        var hours = 0;
        // Ours alone: to the engine's clock the token is still good.
        var pulled = await engine.PullAsync(_front.Address, "team/app", step =>
        {
            if (step.Phase == PullPhase.Complete && Interlocked.Increment(ref hours) == 1) _time.Advance(TimeSpan.FromHours(1));
        });

        Assert.True(pulled.IsNew);
        Assert.Equal(2, Tokens());
    }

    [Theory]
    [InlineData("stranger", "stranger-password", "asked for pull on team/app; granted is nothing")]
    [InlineData("reader", "wrong-password", "incorrect username or password")]
    public async Task Pull_BySomebodyWhoMayNot_IsDenied_AndSaysWhy(string account, string password, string why)
    {
        using var engine = new EngineClient(account, password);
        var denied = await Assert.ThrowsAsync<EngineException>(() => engine.PullAsync(_front.Address, "team/app"));
        Assert.Equal(EngineFault.Denied, denied.Fault);
        Assert.Contains(why, denied.Message);
        Assert.DoesNotContain(password, denied.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        await _front.DisposeAsync();
        await _server.DisposeAsync();
    }

    private int Tokens() => _front.Counts.Where(count => count.Key.StartsWith("GET /token", StringComparison.Ordinal)).Sum(count => count.Value);
}
