using System.Globalization;
using System.Runtime.CompilerServices;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.GarbageCollection;

/// <summary>
/// Hides the manifests that a rule of <see cref="GcOptions.Retention"/> gives no longer time, as a DELETE would: they can be
/// restored within the grace. Untagged is what has no tag, no live index that holds it and no live subject. It counts from
/// when the last of these ended, from the push, and from the last HEAD, whichever came last.
/// <para>Goes through the manifests of the repositories that have a rule, a page at a time, by one node at a time: the page is
/// one transaction, with the cursor's row locked. A pass comes every quarter of the shortest time a rule has, at least once an hour.</para>
/// </summary>
public sealed class Retention(IDbContextFactory<RegistryDbContext> contexts, IOptions<GcOptions> options)
{
    private const int RepositoriesAtOnce = 100;

    /// <summary>{0} repository, {1} digests, {2} how long.</summary>
    private const string Untagged =
        """
        m.repository_id = {0} AND m.digest = ANY ({1}) AND m.deleted_at IS NULL
        AND NOT EXISTS (SELECT FROM tags t WHERE t.repository_id = m.repository_id AND t.manifest_digest = m.digest)
        AND NOT EXISTS (SELECT FROM manifest_references r JOIN manifests p ON p.repository_id = r.repository_id AND p.digest = r.manifest_digest
            WHERE r.repository_id = m.repository_id AND r.child_digest = m.digest AND p.deleted_at IS NULL)
        AND NOT EXISTS (SELECT FROM manifests s
            WHERE s.repository_id = m.repository_id AND s.digest = m.subject_digest AND s.deleted_at IS NULL)
        AND greatest(m.created_at, m.touched_at,
            (SELECT max(p.deleted_at) FROM manifest_references r
                 JOIN manifests p ON p.repository_id = r.repository_id AND p.digest = r.manifest_digest
                 WHERE r.repository_id = m.repository_id AND r.child_digest = m.digest),
            (SELECT s.deleted_at FROM manifests s WHERE s.repository_id = m.repository_id AND s.digest = m.subject_digest),
            (SELECT max(next.at) FROM tag_history h CROSS JOIN LATERAL (
                 SELECT at FROM tag_history n WHERE n.repository_id = h.repository_id AND n.name = h.name AND n.id > h.id
                 ORDER BY n.id LIMIT 1) next
             WHERE h.repository_id = m.repository_id AND h.manifest_digest = m.digest)) <= now() - {2}
        """;

    private const string Look = $"SELECT m.digest AS \"Value\" FROM manifests m WHERE {Untagged} ORDER BY m.digest";

    private const string Lock = $"{Look} FOR UPDATE SKIP LOCKED";

    private const string Hide = $"UPDATE manifests m SET deleted_at = now(), suspect_since = now() WHERE {Untagged} RETURNING m.digest AS \"Value\"";

    private readonly List<(RepositoryPattern Pattern, TimeSpan After)> _rules =
        [.. options.Value.Retention.Select(rule => (RepositoryPattern.TryParse(rule.Repositories, out var pattern) ? pattern : default, rule.UntaggedAfter))];

    internal bool HasRules => _rules.Count > 0;

    /// <summary>The rule that counts in a repository; null: nothing untagged goes there.</summary>
    internal (RepositoryPattern Pattern, TimeSpan After)? RuleOf(RepositoryName repository)
    {
        foreach (var rule in _rules)
        {
            if (rule.Pattern.Matches(repository)) return rule;
        }

        return null;
    }

    private TimeSpan Between => TimeSpan.FromTicks(Math.Clamp(
        _rules.Min(rule => rule.After).Ticks / 4, TimeSpan.TicksPerSecond, TimeSpan.TicksPerHour));

    /// <summary>Lets the next page be the first of a pass, whenever that was due.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        if (!HasRules) return;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO work_cursors (name) VALUES ('retention') ON CONFLICT (name) DO UPDATE SET position = '', due_at = now()", cancellationToken);
    }

    /// <summary>One page of the pass, where one is due and no other node has it.</summary>
    public Task<Reviewed> ReviewAsync(int most, CancellationToken cancellationToken) =>
        !HasRules ? Task.FromResult(default(Reviewed)) : contexts.InTransactionAsync(async db =>
        {
            await db.Database.ExecuteSqlAsync($"INSERT INTO work_cursors (name) VALUES ('retention') ON CONFLICT DO NOTHING", cancellationToken);
            var cursor = await db.Database.SqlQuery<string>(
                $"""
                 SELECT position AS "Value" FROM work_cursors WHERE name = 'retention' AND due_at <= now() FOR UPDATE SKIP LOCKED
                 """).ToListAsync(cancellationToken);
            if (cursor.Count == 0) return default;

            var (id, after) = Parse(cursor[0]);
            var page = await RepositoriesAsync(db, id, cancellationToken);
            foreach (var repository in page)
            {
                var name = RepositoryName.Parse(repository.Name);
                if (RuleOf(name) is not { } rule) continue;

                var last = repository.Id == id ? after : "";
                var digests = await PageAsync(db, repository.Id, last, most, cancellationToken);
                var hidden = digests.Length == 0 ? 0 : await HideAsync(db, repository.Id, name, digests, rule, cancellationToken);
                await MoveAsync(db, digests.Length < most ? $"{repository.Id + 1}" : $"{repository.Id} {digests[^1]}", TimeSpan.Zero, cancellationToken);
                return new Reviewed(digests.Length, Math.Max(1, digests.Length), hidden);
            }

            var isDone = page.Count < RepositoriesAtOnce;
            await MoveAsync(db, isDone ? "" : $"{page[^1].Id + 1}", isDone ? Between : TimeSpan.Zero, cancellationToken);
            return new Reviewed(page.Count, isDone ? 0 : page.Count, 0);
        }, cancellationToken);

    private static async Task<int> HideAsync(RegistryDbContext db, long id, RepositoryName repository, string[] digests,
        (RepositoryPattern Pattern, TimeSpan After) rule, CancellationToken cancellationToken)
    {
        var found = await db.Database.SqlQuery<string>(FormattableStringFactory.Create(Lock, id, digests, rule.After)).ToArrayAsync(cancellationToken);
        if (found.Length == 0) return 0;

        Failpoint.Hit("retention-locked");
        var hidden = await db.Database.SqlQuery<string>(FormattableStringFactory.Create(Hide, id, found, rule.After)).ToListAsync(cancellationToken);
        var text = $"untagged for {rule.After.ToString("c", CultureInfo.InvariantCulture)}, by the rule {rule.Pattern}";
        foreach (var digest in hidden)
        {
            await db.AppendEventAsync(
                new Event(EventKinds.ManifestDelete) { Repository = repository, Digest = Digest.Parse(digest), Detail = text },
                new Actor(null, null, null, $"gantry-server: retention of {rule.Pattern}"), cancellationToken);
        }

        Failpoint.Hit("retention-written");
        return hidden.Count;
    }

    /// <summary>From this one on.</summary>
    internal static Task<List<Known>> RepositoriesAsync(RegistryDbContext db, long from, CancellationToken cancellationToken) =>
        db.Repositories.Where(row => row.Id >= from).OrderBy(row => row.Id).Take(RepositoriesAtOnce)
            .Select(row => new Known(row.Id, row.Name)).ToListAsync(cancellationToken);

    /// <summary>The repository's manifests behind this digest, whatever state they are in.</summary>
    internal static Task<string[]> PageAsync(RegistryDbContext db, long repository, string last, int most, CancellationToken cancellationToken) =>
        db.Manifests.Where(row => row.RepositoryId == repository && string.Compare(row.Digest, last) > 0)
            .OrderBy(row => row.Digest).Take(most).Select(row => row.Digest).ToArrayAsync(cancellationToken);

    /// <summary>Those of the page that a rule would hide now.</summary>
    internal static Task<List<string>> UntaggedAsync(
        RegistryDbContext db, long repository, string[] page, TimeSpan after, CancellationToken cancellationToken) =>
        db.Database.SqlQuery<string>(FormattableStringFactory.Create(Look, repository, page, after)).ToListAsync(cancellationToken);

    private static Task MoveAsync(RegistryDbContext db, string position, TimeSpan wait, CancellationToken cancellationToken) =>
        db.Database.ExecuteSqlAsync(
            $"UPDATE work_cursors SET position = {position}, due_at = now() + {wait} WHERE name = 'retention'", cancellationToken);

    private static (long Repository, string Digest) Parse(string position)
    {
        var parts = position.Split(' ');
        return (long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0, parts.Length > 1 ? parts[1] : "");
    }

    internal sealed record Known(long Id, string Name);
}
