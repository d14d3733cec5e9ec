using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Gantry.Core.Access;
using Gantry.Oci;
using Gantry.TestKit;
using static Gantry.Core.Access.RepositoryActions;

namespace Gantry.Server.Tests.Access;

/// <summary>
/// The real server with the namespaces, rules, accounts and access tokens that <c>decisions.txt</c> speaks of. Each of its
/// repositories has the tag v1; nothing a decision does changes what the next one meets.
/// </summary>
internal sealed class DecisionWorld : IAccessRules, IAsyncDisposable
{
    public static readonly Digest Blob = Digest.Of(RegistryClient.EmptyConfig);

    private const string Password = "everybody's password";

    private static readonly (string Name, Visibility Visibility, string[] Repositories)[] Namespaces =
    [
        ("closed", Visibility.Private, ["closed/app"]),
        ("open", Visibility.Public, ["open/app"]),
        ("acme", Visibility.Private, ["acme/app", "acme/prod-web"]),
        ("mixed", Visibility.Public, ["mixed/app", "mixed/internal-db"]),
        ("safe", Visibility.Private, ["safe/app"]),
        ("strict", Visibility.Public, ["strict/app", "strict/vault-db", "strict/release-1", "strict/vault-old"]),
    ];

    private static readonly (string Name, string Pattern, RuleAudience Audience, RepositoryActions Denied)[] Rules =
    [
        ("prod", "acme/prod-*", RuleAudience.Writer, Push),
        ("internal", "mixed/internal-*", RuleAudience.Public, Pull),
        ("keep", "safe/*", RuleAudience.Maintainer, Delete),
        ("vault", "strict/vault-*", RuleAudience.Public | RuleAudience.Reader, Pull),
        ("frozen", "strict/release-*", RuleAudience.Reader | RuleAudience.Writer | RuleAudience.Maintainer, Push | Delete),
        ("old", "strict/*-old", RuleAudience.Writer, Push),
    ];

    private static readonly (string Name, NamespaceRole? Own, string? Group)[] People =
    [
        ("stranger", null, null), ("creator", null, null),
        ("reader", NamespaceRole.Reader, null), ("writer", NamespaceRole.Writer, null), ("maintainer", NamespaceRole.Maintainer, null),
        ("group-reader", null, "corp/readers"), ("group-writer", null, "corp/writers"), ("group-maintainer", null, "corp/maintainers"),
        ("reader+group-maintainer", NamespaceRole.Reader, "corp/maintainers"),
        ("maintainer+group-reader", NamespaceRole.Maintainer, "corp/readers"),
        ("disabled", NamespaceRole.Maintainer, null),
    ];

    private static readonly Dictionary<string, string[]> Limits = new()
    {
        ["pat"] = ["*"], ["pull-pat"] = ["repository:*:pull"], ["other-pat"] = ["repository:other/*:*"],
        ["prod-pat"] = ["repository:acme/prod-*:pull,push"], ["api-pat"] = ["api:*"],
    };

    private readonly RegistryServer _server;
    private readonly Dictionary<(string Actor, string Kind), string> _accessTokens = [];
    private readonly ConcurrentDictionary<(string Credential, string Scope), string> _bearers = new();

    private DecisionWorld(RegistryServer server)
    {
        _server = server;
        (Nobody, Admin) = (server.Client(account: null), server.Client());
    }

    public IServiceProvider Services => _server.Services;

    public HttpClient Nobody { get; }

    public HttpClient Admin { get; }

    public static async Task<DecisionWorld> MakeAsync(string anonymous)
    {
        var world = new DecisionWorld(await RegistryServer.StartAsync(
            $"Access:Anonymous={anonymous}", "Access:PasswordHashIterations=100000", "Access:TokenLifetime=01:00:00",
            "Access:Throttle:FailuresPerAccountAndAddress=1000", "Access:Throttle:FailuresPerAddress=100000",
            "Access:Throttle:FailuresPerAccount=100000"));
        await world.MakeNamespacesAsync();
        await world.MakeAccountsAsync();
        return world;
    }

    /// <summary>The visibility and the rules that a row has to name for this repository.</summary>
    public static (string Visibility, string Rule) FactsOf(string repository)
    {
        if (repository == "-") return ("-", "-");
        var rules = Rules.Where(rule => RepositoryPattern.TryParse(rule.Pattern, out var pattern)
            && pattern.Matches(RepositoryName.Parse(repository))).Select(rule => rule.Name).ToList();
        var found = Array.Find(Namespaces, ns => repository.StartsWith($"{ns.Name}/", StringComparison.Ordinal));
        return (found.Name is null ? "missing" : found.Visibility.ToString().ToLowerInvariant(),
            rules.Count == 0 ? "-" : string.Join(',', rules));
    }

    /// <summary>The whole Authorization header of an actor's credential; null: none.</summary>
    public async Task<string?> AuthorizationAsync(string actor, string credential, string scope)
    {
        var (kind, way) = credential switch
        {
            _ when credential.EndsWith("-as-bearer", StringComparison.Ordinal) => (credential[..^10], "as-bearer"),
            _ when credential.EndsWith("-to-bearer", StringComparison.Ordinal) => (credential[..^10], "to-bearer"),
            // A robot has nothing else to get one with.
            "bearer" => (actor.StartsWith("robot-", StringComparison.Ordinal) ? "pat" : "password", "to-bearer"),
            _ => (credential, "basic"),
        };
        if (way == "as-bearer") return $"Bearer {_accessTokens[(actor, kind)]}";
        var basic = actor == "nobody" ? null : kind switch
        {
            "password" => Basic(actor, actor == "admin" ? RegistryServer.Password : Password),
            _ => Basic(actor, _accessTokens[(actor, kind)]),
        };
        if (way == "basic") return basic;

        var key = ($"{actor} {kind}", scope);
        if (!_bearers.TryGetValue(key, out var token)) token = _bearers[key] = await BearerAsync(basic, scope);
        return $"Bearer {token}";
    }

    /// <summary>A manifest that no other decision looks at.</summary>
    public Task<Digest> PushWasteAsync(string repository) =>
        Admin.PushManifestAsync(repository, null, $$$"""
            {"schemaVersion":2,"mediaType":"{{{MediaTypes.OciIndex}}}","manifests":[],"annotations":{"waste":"{{{Guid.NewGuid()}}}"}}
            """, MediaTypes.OciIndex);

    public static string NameOf(string actor) =>
        actor.StartsWith("robot-", StringComparison.Ordinal) ? $"robot.acme.{actor[6..]}" : actor.Replace('+', '.');

    public async ValueTask DisposeAsync()
    {
        Nobody.Dispose();
        Admin.Dispose();
        await _server.DisposeAsync();
    }

    private async Task MakeNamespacesAsync()
    {
        foreach (var (name, visibility, repositories) in Namespaces)
        {
            await this.AddNamespaceAsync(name, visibility);
            foreach (var role in Enum.GetValues<NamespaceRole>())
                await this.AddGroupRoleAsync(name, $"corp/{role.ToString().ToLowerInvariant()}s", role);
            foreach (var repository in repositories) await Admin.PushImageAsync(repository, "v1");
        }

        foreach (var (_, pattern, audience, denied) in Rules) await this.AddRuleAsync(pattern.Split('/')[0], pattern, audience, denied);
    }

    private async Task MakeAccountsAsync()
    {
        foreach (var (actor, own, group) in People)
        {
            var name = NameOf(actor);
            await this.CreateAccountAsync(name, Password, new AccountSettings { CreatesNamespaces = actor == "creator" });
            if (group is not null) await this.SetGroupsAsync(name, group);
            foreach (var (ns, _, _) in Namespaces)
            {
                if (own is not null) await this.SetRoleAsync(ns, name, own);
            }
        }

        foreach (var role in Enum.GetValues<NamespaceRole>()) await this.CreateRobotAsync("acme", role.ToString().ToLowerInvariant(), role);

        string[] actors = [.. People.Select(person => person.Name), "admin", "robot-reader", "robot-writer", "robot-maintainer"];
        foreach (var actor in actors)
        {
            foreach (var (kind, scopes) in Limits)
                _accessTokens[(actor, kind)] = await this.CreateAccessTokenAsync(NameOf(actor), scopes);
        }

        // What the disabled account has in its pocket from before.
        foreach (var scope in DecisionRow.ReadAll().Select(DecisionRow.Parse).Where(row => row.Actor == "disabled").Select(DecisionTests.ScopeOf))
            Assert.NotNull(await AuthorizationAsync("disabled", "bearer", scope));
        await this.SetDisabledAsync("disabled");
    }

    private async Task<string> BearerAsync(string? basic, string scope)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/token?service=gantry&scope={scope}");
        if (basic is not null) Assert.True(request.Headers.TryAddWithoutValidation("Authorization", basic));
        using var response = await Nobody.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var reply = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return reply.RootElement.GetProperty("token").GetString()!;
    }

    private static string Basic(string actor, string secret) =>
        $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{NameOf(actor)}:{secret}"))}";
}

/// <summary>One world for each value of Access:Anonymous.</summary>
public sealed class DecisionWorlds : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<Task<DecisionWorld>>> _worlds = new();

    internal Task<DecisionWorld> GetAsync(string anonymous) =>
        _worlds.GetOrAdd(anonymous, value => new(() => DecisionWorld.MakeAsync(value))).Value;

    public async ValueTask DisposeAsync()
    {
        foreach (var world in _worlds.Values) await (await world.Value).DisposeAsync();
    }
}

/// <summary>A collection's fixture is gone before an assembly's: the servers stop before their PostgreSQL does.</summary>
[CollectionDefinition]
public sealed class DecisionCollection : ICollectionFixture<DecisionWorlds>;
