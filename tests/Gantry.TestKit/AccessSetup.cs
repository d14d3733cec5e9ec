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
    /// <param name="role">Null: it has no role, not even at home.</param>
    public static async Task<Account> CreateRobotAsync(this IAccessRules rules, string ns, string name, NamespaceRole? role = null)
    {
        var home = NamespaceName.Parse(ns);
        if (!AccountName.TryForRobot(home, name, out var robot)) throw new ArgumentException($"no robot is called {name}", nameof(name));
        Changed(await rules.Get<Robots>().CreateAsync(home, robot, role ?? NamespaceRole.Reader, Actor.Console, default), robot);
        if (role is null) await rules.SetRoleAsync(ns, robot.ToString(), null);
        return await rules.AccountAsync(robot.ToString());
    }

    public static async Task<Account> AccountAsync(this IAccessRules rules, string name)
    {
        await using var db = await rules.Get<IDbContextFactory<RegistryDbContext>>().CreateDbContextAsync();
        return (await db.Accounts.AsNoTracking().SingleAsync(row => row.Name == name)).ToAccount();
    }

    public static Task SetDisabledAsync(this IAccessRules rules, string account, bool disabled = true) =>
        rules.Get<Accounts>().SetDisabledAsync(AccountName.Parse(account), disabled, Actor.Console);

    /// <summary>Makes a namespace, or gives the one that is there this visibility.</summary>
    public static async Task AddNamespaceAsync(this IAccessRules rules, string ns, Visibility visibility = Visibility.Private)
    {
        var (namespaces, name) = (rules.Get<Namespaces>(), NamespaceName.Parse(ns));
        if (!await namespaces.CreateAsync(name, visibility, null, Actor.Console, default))
            Changed(await namespaces.SetVisibilityAsync(name, visibility, Actor.Console, default), ns);
    }

    /// <param name="role">Null: the account is no member of its own any more.</param>
    public static async Task SetRoleAsync(this IAccessRules rules, string ns, string account, NamespaceRole? role)
    {
        var (members, name, member) = (rules.Get<Members>(), NamespaceName.Parse(ns), MemberName.Of(AccountName.Parse(account)));
        Changed(role is { } given
            ? await members.SetAsync(name, member, given, Actor.Console, default)
            : await members.RemoveAsync(name, member, Actor.Console, default), account);
    }

    /// <param name="group"><c>provider/group</c>.</param>
    public static async Task AddGroupRoleAsync(this IAccessRules rules, string ns, string group, NamespaceRole role) =>
        Changed(await rules.Get<Members>().SetAsync(
            NamespaceName.Parse(ns), MemberName.OfGroup(group), role, Actor.Console, default), group);

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
        if (!RepositoryPattern.TryParse(pattern, out var parsed)) throw new ArgumentException("not a pattern", nameof(pattern));
        var rule = await rules.Get<AccessRules>().AddAsync(NamespaceName.Parse(ns), parsed, audience, denied, Actor.Console, default);
        return rule?.Id ?? throw new InvalidOperationException($"there is no namespace {ns}");
    }

    /// <summary>An access token of an account; everything the account may, unless scopes say less.</summary>
    public static async Task<string> CreateAccessTokenAsync(
        this IAccessRules rules, string account, string[]? scopes = null, DateTimeOffset? expires = null) =>
        (await rules.Get<AccessTokens>().CreateAsync(
            AccountName.Parse(account), "test", AccessLimit.Parse(scopes ?? ["*"]), expires, Actor.Console, default))?.Text
            ?? throw new InvalidOperationException($"there is no account {account}");

    public static Task RevokeAccessTokenAsync(this IAccessRules rules, string account, string token)
    {
        var hash = AccessTokenText.HashOf(token);
        return rules.ChangeAsync(new Event(EventKinds.AccessTokenRevoke) { Subject = account }, account,
            $"DELETE FROM access_tokens WHERE hash = {hash}");
    }

    public static T Get<T>(this IAccessRules rules)
        where T : notnull => rules.Services.GetRequiredService<T>();

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

    private static void Changed(bool changed, object what)
    {
        if (!changed) throw new InvalidOperationException($"{what} was not changed");
    }
}
