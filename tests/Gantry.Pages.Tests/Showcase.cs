using System.Net.Http.Json;
using Gantry.Core.Access;
using Gantry.Core.Browse;
using Gantry.Core.Events;
using Gantry.EndToEnd.Tests.Running;
using Gantry.Oci;
using Gantry.TestKit;
using Npgsql;

namespace Gantry.Pages.Tests;

/// <summary>
/// A registry as a company has it after a while, with the images of <c>tests/images/make</c>: in the private namespace acme a reader, a writer and a
/// maintainer who are called so, robots, a rule, webhooks, repositories with everything that an image can be; a public mirror; the administrator admin.
/// </summary>
public sealed class Showcase : IAsyncLifetime
{
    private readonly Dictionary<string, IReadOnlyList<FoundPage>> _walks = [];
    private readonly Dictionary<string, PageSession> _visitors = [];
    private WebhookReceiver _receiver = null!;

    /// <summary>Who may see something; nobody is a visitor too.</summary>
    public static TheoryData<string> Visitors { get; } = ["nobody", "reader", "writer", "maintainer", "admin"];

    internal RegistryServer Registry { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _receiver = await WebhookReceiver.StartAsync();
        Registry = await RegistryServer.StartAsync("Webhooks:AllowedNetworks:0=127.0.0.0/8", "Push:ImmutableTags:0=acme/*:v*",
            "Gc:Retention:0:Repositories=ci/*", "Gc:Retention:0:UntaggedAfter=7.00:00:00");
        await AddPeopleAsync();
        using var admin = Registry.Client();
        using var writer = Registry.Client("writer");
        await PushAsync(new LayoutPush(writer, await ImageSet.MakeAsync()));
        await AddRestAsync(admin);
        await UntilQuietAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var visitor in _visitors.Values) visitor.Dispose();
        await Registry.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    internal async Task<PageSession> OpenAsync(string visitor)
    {
        if (_visitors.TryGetValue(visitor, out var open)) return open;
        return _visitors[visitor] = await PageSession.OpenAsync(Registry.Address, visitor == "nobody" ? null : visitor, RegistryServer.Password);
    }

    /// <summary>All that this visitor finds from the first page on, and where nobody is sent to.</summary>
    internal async Task<IReadOnlyList<FoundPage>> WalkAsync(string visitor)
    {
        if (_walks.TryGetValue(visitor, out var walk)) return walk;
        string[] starts = visitor == "nobody" ? ["/", "/signin"] : ["/"];
        return _walks[visitor] = await new PageCrawl(await OpenAsync(visitor)).RunAsync(starts);
    }

    /// <summary>What a browser looks at: a page of each route, or of each kind.</summary>
    internal async Task<IReadOnlyList<string>> PathsAsync(string visitor, bool isEachKind = false) =>
        [.. (await WalkAsync(visitor)).Where(page => page.Kind is not null && page.Reply.IsHtml)
            .DistinctBy(page => isEachKind ? page.Kind : PageRoutes.Of(page.Path)).Select(page => page.Path)];

    private async Task AddPeopleAsync()
    {
        foreach (var name in new[] { "reader", "writer", "maintainer", "anna", "bruno", "chloe" })
        {
            await Registry.CreateAccountAsync(name, RegistryServer.Password,
                new AccountSettings { DisplayName = $"{char.ToUpperInvariant(name[0])}{name[1..]} Example", Email = $"{name}@example.com" });
        }

        foreach (var ns in new[] { "acme", "ci", "research" }) await Registry.AddNamespaceAsync(ns);
        await Registry.AddNamespaceAsync("mirror", Visibility.Public);
        foreach (var (name, role) in new[] { ("reader", NamespaceRole.Reader), ("writer", NamespaceRole.Writer), ("maintainer", NamespaceRole.Maintainer) })
        {
            await Registry.SetRoleAsync("acme", name, role);
        }

        foreach (var ns in new[] { "mirror", "ci", "research" }) await Registry.SetRoleAsync(ns, "writer", NamespaceRole.Writer);
        await Registry.AddGroupRoleAsync("acme", "ldap/developers", NamespaceRole.Writer);
        await Registry.AddRuleAsync("acme", "acme/prod-*", RuleAudience.Writer, RepositoryActions.Delete);
        await Registry.CreateRobotAsync("acme", "build", NamespaceRole.Writer);
        await Registry.CreateRobotAsync("ci", "runner", NamespaceRole.Writer);
        foreach (var name in new[] { "admin", "maintainer", "robot.acme.build" }) await Registry.CreateAccessTokenAsync(name, ["repository:acme/*:pull,push"]);
    }

    private static async Task PushAsync(LayoutPush push)
    {
        await push.PushAsync("debian", "mirror/library/debian", "12");
        await push.PushAsync("debian", "mirror/library/debian", "latest");
        await push.PushAsync("python", "research/notebook", "3.11");
        await push.PushAsync("edge", "acme/edge", "latest");
        await push.PushAsync("links", "acme/edge", "links");
        await push.PushAsync("zstd", "acme/edge", "zstd");
        await push.PushAsync("multi", "acme/multi", "latest");
        foreach (var tag in new[] { "latest", "sbom", "signature", "sbom-signature", "plain" }) await push.PushAsync("artifact", "acme/signed", tag, tag);

        // Tags that moved; those that are deleted below are gone with what they name.
        foreach (var (image, tag) in new[] { ("debian", "latest"), ("debian", "1.0"), ("python", "1.1"), ("python", "latest"), ("nginx", "1.2"), ("nginx", "latest") })
        {
            await push.PushAsync(image, "acme/web", tag);
        }

        foreach (var (image, tag) in new[] { ("tiny", "kept"), ("tiny", "gone"), ("multi", "gone") }) await push.PushAsync(image, "acme/prod-gateway", tag);
        await push.PushAsync("tiny", "acme/web", "preview");
        for (var number = 0; number < 120; number++) await push.PushAsync("tiny", "ci/build", $"main-{number:0000}");
    }

    private async Task AddRestAsync(HttpClient admin)
    {
        foreach (var reference in new[] { "acme/web/manifests/preview", "acme/prod-gateway/manifests/gone" })
        {
            using var deleted = await admin.DeleteAsync($"/v2/{reference}");
            deleted.EnsureSuccessStatusCode();
        }

        await Registry.Get<Readmes>().WriteAsync(RepositoryName.Parse("acme/web"), Texts.Readme, new Actor("maintainer", null, null), default);
        await Registry.Get<Readmes>().WriteAsync(RepositoryName.Parse("acme/edge"), Texts.HostileReadme, new Actor("maintainer", null, null), default);
        foreach (var path in new[] { "/api/v1/webhooks", "/api/v1/namespaces/acme/webhooks" })
        {
            foreach (var format in new[] { "distribution", "cloudevents" })
            {
                using var made = await admin.PostAsJsonAsync(path, new { name = $"deploy by {format}", url = _receiver.Url, format });
                made.EnsureSuccessStatusCode();
            }
        }

        // Something to tell, by somebody who then does what he may not.
        using var reader = Registry.Client("reader");
        using var refused = await reader.PostAsync("/v2/acme/web/blobs/uploads/", null);
        using var pulled = await reader.GetAsync("/v2/acme/web/manifests/latest");
        pulled.EnsureSuccessStatusCode();
        await admin.PushImageAsync("acme/web", "v2.0", "a layer that is no archive"u8.ToArray());
        await ExecuteAsync(
            """
            INSERT INTO storage_samples (at, blobs, bytes, doomed)
            SELECT now() - i * interval '1 hour', 4000 - i, 80e9 - i * 1e8 + 3e9 * sin(i / 9.0), 1e9 + 1e9 * sin(i / 5.0) FROM generate_series(1, 500) i
            ON CONFLICT DO NOTHING
            """);
    }

    // What is made after a push is made: pages would say that it is on its way. It is the workers' time, which no event tells of.
    private async Task UntilQuietAsync()
    {
        const string Open =
            """
            SELECT (SELECT count(*) FROM events WHERE pending) + (SELECT count(*) FROM layer_listings WHERE state IN ('waiting', 'reading'))
                 + (SELECT count(*) FROM repository_statistics WHERE stale_since IS NOT NULL) + (SELECT count(*) FROM manifest_facts WHERE due_at IS NOT NULL)
                 + (SELECT count(*) FROM webhook_deliveries WHERE state = 'waiting')
            """;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        await using var database = NpgsqlDataSource.Create(Registry.ConnectionString);
        while (true)
        {
            await using var command = database.CreateCommand(Open);
            if ((long)(await command.ExecuteScalarAsync(limit.Token))! == 0) return;
            await Task.Delay(200, limit.Token);
        }
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var database = NpgsqlDataSource.Create(Registry.ConnectionString);
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
