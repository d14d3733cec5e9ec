using Gantry.Core.Data;
using Gantry.Core.Events;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

/// <summary>Who has a role: an account, or everybody in a group (<c>provider/group</c>); exactly one of them is set.</summary>
public sealed record MemberName(AccountName? Account, string? Group)
{
    public const int MaxGroupLength = 600;

    public static MemberName Of(AccountName account) => new(account, null);

    public static MemberName OfGroup(string group) => new(null, group);

    /// <summary>Whether a text can be a group's name: a provider, a slash, and what the provider calls it.</summary>
    public static bool IsGroup(string text) =>
        text.Length <= MaxGroupLength && text.IndexOf('/', StringComparison.Ordinal) > 0 && text[^1] != '/'
        && !text.Any(char.IsControl);

    public override string ToString() => Account?.ToString() ?? $"group {Group}";
}

/// <summary>A member of a namespace.</summary>
/// <param name="Id">In the order in which they were added; pages go by it.</param>
public sealed record Member(long Id, string? Account, string? Group, NamespaceRole Role, DateTimeOffset CreatedAt);

/// <summary>The members of namespaces, and their roles.</summary>
public sealed class Members(IDbContextFactory<RegistryDbContext> database, AccessWriting writing)
{
    /// <summary>The largest page of a listing.</summary>
    public const int MaxPage = 1000;

    /// <summary>In the order of <see cref="Member.Id"/>, after <paramref name="last"/>.</summary>
    public async Task<IReadOnlyList<Member>> PageAsync(
        NamespaceName name, long last, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        var text = name.ToString();
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var rows = await db.Database.SqlQuery<MemberRow>(
            $"""
             SELECT m.id AS "Id", a.name AS "Account", m.group_name AS "Group", m.role AS "Role", m.created_at AS "CreatedAt"
             FROM memberships m JOIN namespaces n ON n.id = m.namespace_id LEFT JOIN accounts a ON a.id = m.account_id
             WHERE n.name = {text} AND m.id > {last} ORDER BY m.id LIMIT {limit}
             """).ToListAsync(cancellationToken);
        return [.. rows.Select(row => new Member(
            row.Id, row.Account, row.Group, Enum.Parse<NamespaceRole>(row.Role, ignoreCase: true), row.CreatedAt))];
    }

    /// <summary>Gives a role, or another one. False: there is no such namespace or no such account.</summary>
    public Task<bool> SetAsync(
        NamespaceName name, MemberName member, NamespaceRole role, Actor actor, CancellationToken cancellationToken)
    {
        var (text, account, group, word) = (name.ToString(), member.Account?.ToString(), member.Group, role.ToString().ToLowerInvariant());
        return writing.ChangeAsync(
            new Event(EventKinds.MemberSet) { Namespace = text, Subject = member.ToString(), Detail = word }, actor, null,
            async db => group is null
                ? await db.Database.ExecuteSqlAsync(
                    $"""
                     INSERT INTO memberships (namespace_id, account_id, role)
                     SELECT n.id, a.id, {word} FROM namespaces n, accounts a WHERE n.name = {text} AND a.name = {account}
                     ON CONFLICT (namespace_id, account_id) DO UPDATE SET role = excluded.role
                     """, cancellationToken) > 0
                : await db.Database.ExecuteSqlAsync(
                    $"""
                     INSERT INTO memberships (namespace_id, group_name, role)
                     SELECT n.id, {group}, {word} FROM namespaces n WHERE n.name = {text}
                     ON CONFLICT (namespace_id, group_name) DO UPDATE SET role = excluded.role
                     """, cancellationToken) > 0, cancellationToken);
    }

    /// <summary>False: it was no member.</summary>
    public Task<bool> RemoveAsync(NamespaceName name, MemberName member, Actor actor, CancellationToken cancellationToken)
    {
        var (text, account, group) = (name.ToString(), member.Account?.ToString(), member.Group);
        return writing.ChangeAsync(
            new Event(EventKinds.MemberRemove) { Namespace = text, Subject = member.ToString() }, actor, null,
            async db => await db.Database.ExecuteSqlAsync(
                $"""
                 DELETE FROM memberships m USING namespaces n
                 WHERE n.id = m.namespace_id AND n.name = {text}
                   AND (m.group_name = {group} OR m.account_id = (SELECT id FROM accounts WHERE name = {account}))
                 """, cancellationToken) > 0, cancellationToken);
    }

    private sealed record MemberRow(long Id, string? Account, string? Group, string Role, DateTimeOffset CreatedAt);
}

internal static class Maintainers
{
    /// <summary>Who makes a namespace is its maintainer.</summary>
    public static Task AddMaintainerAsync(
        this RegistryDbContext db, long namespaceId, long accountId, CancellationToken cancellationToken) =>
        db.Database.ExecuteSqlAsync(
            $"INSERT INTO memberships (namespace_id, account_id, role) VALUES ({namespaceId}, {accountId}, 'maintainer')",
            cancellationToken);
}
