using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

public enum Visibility
{
    /// <summary>Members only.</summary>
    Private,

    /// <summary>Every account may pull, and without an account who <see cref="AccessOptions.Anonymous"/> lets in.</summary>
    Public,
}

/// <summary>What a member of a namespace may do; each role may all that the one before it may.</summary>
public enum NamespaceRole
{
    /// <summary>Pull.</summary>
    Reader = 1,

    /// <summary>Push too.</summary>
    Writer,

    /// <summary>Delete too, and manage members, robots and settings of the namespace.</summary>
    Maintainer,
}

/// <summary>A role, and where it comes from.</summary>
/// <param name="Group"><c>provider/group</c>; null: the account's own membership.</param>
public sealed record RoleGrant(NamespaceRole Role, string? Group);

/// <summary>All that is known of one namespace when one account, or nobody, asks for something in it.</summary>
/// <param name="Id">Null: there is no such namespace.</param>
/// <param name="Roles">The asking account's, its own and those of its groups.</param>
public sealed record NamespaceFacts(
    string Name, long? Id, Visibility Visibility, IReadOnlyList<RoleGrant> Roles, IReadOnlyList<AccessRule> Rules)
{
    public bool Exists => Id is not null;

    /// <summary>The strongest role; null: none.</summary>
    public RoleGrant? Role => Roles.MaxBy(grant => grant.Role);

    public static NamespaceFacts Missing(string name) => new(name, null, Visibility.Private, [], []);
}

internal static class NamespaceReading
{
    /// <summary>Reads them as they are now: in a transaction, as that transaction sees them.</summary>
    public static async Task<NamespaceFacts> ReadNamespaceAsync(
        this RegistryDbContext db, string name, long? accountId, CancellationToken cancellationToken)
    {
        var account = accountId ?? 0;
        var rows = await db.Database.SqlQuery<FactsRow>(
            $"""
             SELECT n.id AS "Id", n.visibility AS "Visibility",
                 ARRAY(SELECT m.role || ' ' || coalesce(m.group_name, '') FROM memberships m
                       WHERE m.namespace_id = n.id AND (m.account_id = {account} OR m.group_name IN
                           (SELECT g.name FROM account_groups g WHERE g.account_id = {account}))) AS "Roles",
                 ARRAY(SELECT concat_ws(' ', r.id, r.pattern, array_to_string(r.applies_to, ','), array_to_string(r.denied, ','))
                       FROM access_rules r WHERE r.namespace_id = n.id ORDER BY r.id) AS "Rules"
             FROM namespaces n WHERE n.name = {name}
             """).ToListAsync(cancellationToken);
        return rows.Count == 0
            ? NamespaceFacts.Missing(name)
            : new NamespaceFacts(
                name, rows[0].Id, Enum.Parse<Visibility>(rows[0].Visibility, ignoreCase: true),
                [.. rows[0].Roles.Select(ParseRole)], [.. rows[0].Rules.Select(AccessRule.ParseStored)]);
    }

    private static RoleGrant ParseRole(string text)
    {
        var parts = text.Split(' ', 2);
        return new RoleGrant(Enum.Parse<NamespaceRole>(parts[0], ignoreCase: true), parts[1].Length > 0 ? parts[1] : null);
    }

    private sealed record FactsRow(long Id, string Visibility, string[] Roles, string[] Rules);
}
