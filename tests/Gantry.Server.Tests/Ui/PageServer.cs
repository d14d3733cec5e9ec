using System.Net;
using Gantry.Core.Access;
using Gantry.Core.Browse;
using Gantry.Core.Events;
using Gantry.Core.Webhooks;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Ui;

/// <summary>
/// A real server with the administrator admin and, in the private namespace acme, a reader, a writer and a maintainer who are called so;
/// stan has nothing. acme/app has the tags v1 and v2, and a README; mirror is public, and has mirror/base and a webhook that nobody answers.
/// </summary>
public sealed class PageServer : IAsyncLifetime
{
    private int _names;

    internal RegistryServer Registry { get; private set; } = null!;

    /// <summary>A webhook, and a delivery of it.</summary>
    internal long Webhook { get; private set; }

    internal long Delivery { get; private set; }

    public async ValueTask InitializeAsync()
    {
        Registry = await RegistryServer.StartAsync(
            "Access:Throttle:FailuresPerAccountAndAddress=1000", "Access:Throttle:FailuresPerAddress=100000",
            "Access:Throttle:FailuresPerAccount=100000", "Push:ImmutableTags:0=acme/*:keep-*",
            "Gc:MaxShare=1", "Gc:MaxPerSecond=100000", "Webhooks:AllowedNetworks:0=127.0.0.0/8");
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
        await Registry.Get<Readmes>().WriteAsync(RepositoryName.Parse("acme/app"), "# The app\n\n|a|b|\n|-|-|\n|c|<img src=x>|", Actor.Console, default);
        var settings = new NewWebhookSettings("unanswered", WebhookUrl.Parse("http://127.0.0.1:9/"), WebhookFormat.CloudEvents, ["push"]);
        var webhook = (await Registry.Get<WebhookList>().CreateAsync(NamespaceName.Parse("mirror"), settings, Actor.Console, default))!.Webhook;
        (Webhook, Delivery) = (webhook.Id, (await Registry.Get<WebhookDeliveries>().TestAsync(webhook, default))!.Id);
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
