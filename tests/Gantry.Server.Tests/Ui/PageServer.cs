using System.Net;
using Gantry.Core.Access;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Ui;

/// <summary>
/// A real server with the administrator admin and, in the private namespace acme, a reader, a writer and a maintainer who are called so;
/// stan has nothing. acme/app has the tags v1 and v2; mirror is public, and has mirror/base.
/// </summary>
public sealed class PageServer : IAsyncLifetime
{
    private int _names;

    internal RegistryServer Registry { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Registry = await RegistryServer.StartAsync(
            "Access:Throttle:FailuresPerAccountAndAddress=1000", "Access:Throttle:FailuresPerAddress=100000",
            "Access:Throttle:FailuresPerAccount=100000", "Push:ImmutableTags:0=acme/*:keep-*",
            "Gc:MaxShare=1", "Gc:MaxPerSecond=100000");
        foreach (var name in new[] { "reader", "writer", "maintainer", "stan", "anna" })
            await Registry.CreateAccountAsync(name, RegistryServer.Password);
        await Registry.AddNamespaceAsync("acme");
        await Registry.AddNamespaceAsync("mirror", Visibility.Public);
        await Registry.SetRoleAsync("acme", "reader", NamespaceRole.Reader);
        await Registry.SetRoleAsync("acme", "writer", NamespaceRole.Writer);
        await Registry.SetRoleAsync("acme", "maintainer", NamespaceRole.Maintainer);
        await Registry.CreateRobotAsync("acme", "ci", NamespaceRole.Writer);
        using var client = Registry.Client();
        await client.PushImageAsync("acme/app", "v1", "one"u8.ToArray());
        await client.PushImageAsync("acme/app", "v2", "two"u8.ToArray());
        await client.PushImageAsync("mirror/base", "latest", "three"u8.ToArray());
    }

    public ValueTask DisposeAsync() => Registry.DisposeAsync();

    /// <summary>A name that nothing else in this server has.</summary>
    internal string NewName(string prefix) => $"{prefix}{Interlocked.Increment(ref _names)}";

    /// <summary>A browser that is signed in as this account; null: as nobody.</summary>
    internal async Task<PageBrowser> OpenAsync(string? account = "admin")
    {
        var browser = new PageBrowser(Registry.Address);
        if (account is null) return browser;
        var answer = await (await browser.GetAsync("/signin")).SubmitAsync("signin", ("name", account), ("password", RegistryServer.Password));
        Assert.Equal(HttpStatusCode.SeeOther, answer.Status);
        return browser;
    }
}

/// <summary>A collection's fixture is gone before an assembly's: the server stops before its PostgreSQL does.</summary>
[CollectionDefinition]
public sealed class PageCollection : ICollectionFixture<PageServer>;
