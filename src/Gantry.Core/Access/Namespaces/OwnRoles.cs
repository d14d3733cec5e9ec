using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

/// <summary>The strongest role that an account has in a namespace.</summary>
/// <param name="Group">The group it comes through; null: the account's own membership.</param>
public sealed record OwnRole(string Namespace, NamespaceRole Role, string? Group);

/// <summary>What an account is told of itself.</summary>
public sealed class OwnRoles(IDbContextFactory<RegistryDbContext> database)
{
    /// <summary>The largest page of roles, and the most groups that are told.</summary>
    public const int MaxPage = 1000;

    /// <summary>One for each namespace in which it has a role, by name, after <paramref name="last"/>.</summary>
    public async Task<IReadOnlyList<OwnRole>> PageAsync(
        long accountId, string? last, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        var after = last ?? "";
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var rows = await db.Database.SqlQuery<RoleRow>(
            $"""
             SELECT DISTINCT ON (n.name) n.name AS "Namespace", m.role AS "Role", m.group_name AS "Group"
             FROM memberships m JOIN namespaces n ON n.id = m.namespace_id
             WHERE n.name > {after} AND (m.account_id = {accountId} OR m.group_name IN
                 (SELECT g.name FROM account_groups g WHERE g.account_id = {accountId}))
             ORDER BY n.name, array_position(ARRAY['maintainer', 'writer', 'reader'], m.role), m.group_name NULLS FIRST
             LIMIT {limit}
             """).ToListAsync(cancellationToken);
        return [.. rows.Select(row => new OwnRole(
            row.Namespace, Enum.Parse<NamespaceRole>(row.Role, ignoreCase: true), row.Group))];
    }

    /// <summary>The groups its providers named at its last login there, <c>provider/group</c>, by name.</summary>
    public async Task<IReadOnlyList<string>> GroupsAsync(long accountId, CancellationToken cancellationToken)
    {
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        return await db.AccountGroups.Where(row => row.AccountId == accountId).Select(row => row.Name)
            .OrderBy(name => name).Take(MaxPage).ToListAsync(cancellationToken);
    }

    private sealed record RoleRow(string Namespace, string Role, string? Group);
}
