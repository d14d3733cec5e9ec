using Gantry.TestKit;

namespace Gantry.Core.Tests.Access;

/// <summary>One directory for the tests of a class; each test puts people of its own into it.</summary>
public sealed class SlapdFixture : IAsyncLifetime
{
    public SlapdServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await SlapdServer.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>The settings that fit it, and others on top.</summary>
    public (string Key, string Value)[] With(params (string Key, string Value)[] settings) =>
        
        [.. Server.Settings.Where(pair => settings.All(other => other.Key != pair.Key)).Select(pair => (pair.Key, pair.Value)), .. settings];
}
