using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Gantry.TestKit;

/// <summary>Something with the access rules in it: a whole server, or the rules alone.</summary>
public interface IAccessRules
{
    IServiceProvider Services { get; }
}

/// <summary>
/// Accounts, namespaces, roles and rules as a test wants them. Each is a change of access like any other: event, revision,
/// and known here before the call returns.
/// </summary>
public static class AccessSetup
{
    public static async Task<Account> CreateAccountAsync(
        this IAccessRules rules, string name, string? password, AccountSettings? settings = null)
    {
        var accounts = rules.Get<Accounts>();
        if (!await accounts.CreateAsync(AccountName.Parse(name), password, settings ?? new AccountSettings(), Actor.Console))
            throw new InvalidOperationException($"there is an account {name}");
        return await rules.AccountAsync(name);
    }

    /// <summary>A robot of a namespace that is there; its account is called <c>robot.NAMESPACE.NAME</c>.</summary>
    public static async Task<Account> CreateRobotAsync(this IAccessRules rules, string ns, string name, NamespaceRole? role = null)
    {
        if (!AccountName.TryForRobot(ns, name, out var robot)) throw new ArgumentException($"no robot is called {name}", nameof(name));
        var text = robot.ToString();
        await rules.ChangeAsync(new Event(EventKinds.AccountCreate) { Namespace = ns, Subject = text }, text,
            $"""
             INSERT INTO accounts (name, security_stamp, kind, namespace_id)
             SELECT {text}, gen_random_uuid(), 'robot', id FROM namespaces WHERE name = {ns}
             """);
        if (role is not null) await rules.SetRoleAsync(ns, text, role);
        return await rules.AccountAsync(text);
    }

    public static async Task<Account> AccountAsync(this IAccessRules rules, string name)
    {
        await using var db = await rules.Get<IDbContextFactory<RegistryDbContext>>().CreateDbContextAsync();
        return (await db.Accounts.AsNoTracking().SingleAsync(row => row.Name == name)).ToAccount();
    }

    public static Task SetDisabledAsync(this IAccessRules rules, string account, bool disabled = true) =>
        rules.Get<Accounts>().SetDisabledAsync(AccountName.Parse(account), disabled, Actor.Console);

    /// <summary>Makes a namespace, or gives the one that is there this visibility.</summary>
    public static Task AddNamespaceAsync(this IAccessRules rules, string ns, Visibility visibility = Visibility.Private)
    {
        var word = visibility.ToString().ToLowerInvariant();
        return rules.ChangeAsync(new Event(EventKinds.NamespaceCreate) { Namespace = ns, Detail = word }, null,
            $"""
             INSERT INTO namespaces (name, visibility) VALUES ({ns}, {word})
             ON CONFLICT (name) DO UPDATE SET visibility = excluded.visibility
             """);
    }

    /// <param name="role">Null: the account is no member of its own any more.</param>
    public static Task SetRoleAsync(this IAccessRules rules, string ns, string account, NamespaceRole? role)
    {
        if (role is null)
        {
            return rules.ChangeAsync(new Event(EventKinds.MemberRemove) { Namespace = ns, Subject = account }, null,
                $"""
                 DELETE FROM memberships WHERE namespace_id = (SELECT id FROM namespaces WHERE name = {ns})
                 AND account_id = (SELECT id FROM accounts WHERE name = {account})
                 """);
        }

        var word = role.ToString()!.ToLowerInvariant();
        return rules.ChangeAsync(new Event(EventKinds.MemberSet) { Namespace = ns, Subject = account, Detail = word }, null,
            $"""
             INSERT INTO memberships (namespace_id, account_id, role)
             SELECT n.id, a.id, {word} FROM namespaces n, accounts a WHERE n.name = {ns} AND a.name = {account}
             ON CONFLICT (namespace_id, account_id) DO UPDATE SET role = excluded.role
             """);
    }

    /// <param name="group"><c>provider/group</c>.</param>
    public static Task AddGroupRoleAsync(this IAccessRules rules, string ns, string group, NamespaceRole role)
    {
        var word = role.ToString().ToLowerInvariant();
        return rules.ChangeAsync(new Event(EventKinds.MemberSet) { Namespace = ns, Subject = group, Detail = word }, null,
            $"""
             INSERT INTO memberships (namespace_id, group_name, role) SELECT id, {group}, {word} FROM namespaces WHERE name = {ns}
             ON CONFLICT (namespace_id, group_name) DO UPDATE SET role = excluded.role
             """);
    }

    /// <summary>The groups of an account from now on, as a login at their provider would set them.</summary>
    public static Task SetGroupsAsync(this IAccessRules rules, string account, params string[] groups) =>
        rules.ChangeAsync(new Event(EventKinds.AccountChange) { Subject = account, Detail = string.Join(' ', groups) }, account,
            $"DELETE FROM account_groups WHERE account_id = (SELECT id FROM accounts WHERE name = {account})",
            $"""
             INSERT INTO account_groups (account_id, name)
             SELECT a.id, g FROM accounts a, unnest({groups}) g WHERE a.name = {account}
             """);

    /// <summary>Adds a rule and returns its id.</summary>
    public static async Task<long> AddRuleAsync(
        this IAccessRules rules, string ns, string pattern, RuleAudience audience, RepositoryActions denied)
    {
        var row = new AccessRuleRow
        {
            NamespaceId = await rules.NamespaceIdAsync(ns), Pattern = pattern, Denied = [.. Scope.Words(denied)],
            AppliesTo = [.. new AccessRule(0, default, audience, denied).Audience],
        };
        await rules.ChangeAsync(new Event(EventKinds.RuleAdd) { Namespace = ns, Detail = pattern }, null, async db =>
        {
            db.Add(row);
            await db.SaveChangesAsync();
            return true;
        });
        return row.Id;
    }

    /// <summary>An access token of an account; everything the account may, unless scopes say less.</summary>
    public static async Task<string> CreateAccessTokenAsync(
        this IAccessRules rules, string account, string[]? scopes = null, DateTimeOffset? expires = null)
    {
        var owner = await rules.AccountAsync(account);
        var text = AccessTokenText.Generate(owner.Kind);
        var row = new AccessTokenRow
        {
            AccountId = owner.Id, Name = "test", Hash = AccessTokenText.HashOf(text), Scopes = scopes ?? ["*"], ExpiresAt = expires,
        };
        await rules.ChangeAsync(new Event(EventKinds.AccessTokenCreate) { Subject = account }, account, async db =>
        {
            db.Add(row);
            await db.SaveChangesAsync();
            return true;
        });
        return text;
    }

    public static Task RevokeAccessTokenAsync(this IAccessRules rules, string account, string token)
    {
        var hash = AccessTokenText.HashOf(token);
        return rules.ChangeAsync(new Event(EventKinds.AccessTokenRevoke) { Subject = account }, account,
            $"DELETE FROM access_tokens WHERE hash = {hash}");
    }

    public static T Get<T>(this IAccessRules rules)
        where T : notnull => rules.Services.GetRequiredService<T>();

    private static async Task<long> NamespaceIdAsync(this IAccessRules rules, string ns)
    {
        await using var db = await rules.Get<IDbContextFactory<RegistryDbContext>>().CreateDbContextAsync();
        return (await db.Namespaces.AsNoTracking().SingleAsync(row => row.Name == ns)).Id;
    }

    // The last statement has to change something: a name that is not there is a mistake of the test.
    private static Task ChangeAsync(
        this IAccessRules rules, Event what, string? account, params FormattableString[] statements) =>
        rules.ChangeAsync(what, account, async db =>
        {
            var rows = 0;
            foreach (var statement in statements) rows = await db.Database.ExecuteSqlAsync(statement);
            return rows > 0 || what.Kind == EventKinds.AccountChange;
        });

    private static async Task ChangeAsync(
        this IAccessRules rules, Event what, string? account, Func<RegistryDbContext, Task<bool>> work)
    {
        if (!await rules.Get<AccessWriting>().ChangeAsync(what, Actor.Console, account, work, CancellationToken.None))
            throw new InvalidOperationException($"{what} changed nothing");
    }
}
