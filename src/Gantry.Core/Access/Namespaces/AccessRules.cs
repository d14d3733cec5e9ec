using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

/// <summary>The rules that narrow roles in parts of a namespace.</summary>
public sealed class AccessRules(IDbContextFactory<RegistryDbContext> database, AccessWriting writing)
{
    /// <summary>All of them are read for each decision.</summary>
    public const int MaxPerNamespace = 100;

    /// <summary>In the order they were added; null: there is no such namespace.</summary>
    public async Task<IReadOnlyList<AccessRule>?> ListAsync(NamespaceName name, CancellationToken cancellationToken)
    {
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var facts = await db.ReadNamespaceAsync(name.ToString(), null, cancellationToken);
        return facts.Exists ? facts.Rules : null;
    }

    /// <returns>The rule with its id; null: there is no such namespace.</returns>
    /// <exception cref="OciException">
    /// DENIED (409): there are <see cref="MaxPerNamespace"/> already. UNSUPPORTED (400): the pattern can match nothing there.
    /// </exception>
    public async Task<AccessRule?> AddAsync(
        NamespaceName name, RepositoryPattern pattern, RuleAudience appliesTo, RepositoryActions denied, Actor actor,
        CancellationToken cancellationToken)
    {
        var (text, patternText) = (name.ToString(), pattern.ToString());
        if (patternText != "*" && patternText != text && !patternText.StartsWith(text + "/", StringComparison.Ordinal))
        {
            throw new OciException(OciErrorCode.Unsupported,
                $"the pattern must be * or begin with {text}/ to match repositories of {text}", status: 400);
        }

        var rule = new AccessRule(0, pattern, appliesTo, denied);
        var (audience, actions) = (rule.Audience.ToArray(), Scope.Words(denied).ToArray());
        var added = await writing.ChangeAsync(
            new Event(EventKinds.RuleAdd) { Namespace = text, Subject = patternText, Detail = rule.Text },
            actor, null,
            async db =>
            {
                var ids = await db.Database.SqlQuery<long>(
                    $"""
                     INSERT INTO access_rules (namespace_id, pattern, applies_to, denied)
                     SELECT id, {patternText}, {audience}, {actions} FROM namespaces WHERE name = {text} FOR UPDATE
                     RETURNING id AS "Value"
                     """).ToListAsync(cancellationToken);
                if (ids.Count == 0) return false;
                rule = rule with { Id = ids[0] };
                // Counted after the namespace's row was locked: two adds at once cannot both be the last.
                var count = (await db.ReadNamespaceAsync(text, null, cancellationToken)).Rules.Count;
                return count <= MaxPerNamespace
                    ? true
                    : throw new OciException(OciErrorCode.Denied, $"{text} has {MaxPerNamespace} rules, the most there may be", 409);
            }, cancellationToken);
        return added ? rule : null;
    }

    /// <summary>False: the namespace has no such rule.</summary>
    public Task<bool> RemoveAsync(NamespaceName name, long id, Actor actor, CancellationToken cancellationToken)
    {
        var text = name.ToString();
        return writing.ChangeAsync(
            new Event(EventKinds.RuleRemove) { Namespace = text, Detail = $"rule {id}" }, actor, null,
            async db => await db.Database.ExecuteSqlAsync(
                $"DELETE FROM access_rules r USING namespaces n WHERE n.id = r.namespace_id AND n.name = {text} AND r.id = {id}",
                cancellationToken) > 0, cancellationToken);
    }
}
