using System.Globalization;
using System.Runtime.CompilerServices;
using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.GarbageCollection;

/// <summary>
/// Says what keeps a blob or a manifest, from its row up to the tags, a line a fact; what holds something stands below it,
/// further in. Of many holders the first <see cref="Most"/> are named. Looks without locks: what it says was so a moment ago.
/// </summary>
public sealed class GcExplanation(IDbContextFactory<RegistryDbContext> contexts, Retention retention, IOptions<GcOptions> options)
{
    private const int Most = 20, Deepest = 8;

    private TimeSpan Grace => options.Value.Grace;

    public async IAsyncEnumerable<string> ExplainAsync(Digest digest, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var text = digest.ToString();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var known = false;
        if (await db.Blobs.AsNoTracking().SingleOrDefaultAsync(row => row.Digest == text, cancellationToken) is { } blob)
        {
            known = true;
            yield return $"blob of {blob.Size} bytes at {blob.Location}, since {Time(blob.CreatedAt)}";
            if (blob.QuarantinedAt is { } rotten) yield return $"  quarantined since {Time(rotten)}: its bytes are not those of its digest; a push of it heals";
            if (!await db.BlobLinks.AnyAsync(row => row.Digest == text, cancellationToken))
                yield return $"  nothing keeps it: no repository has a link; its row goes with the next run, its bytes {options.Value.ByteDelay:c} later";
        }

        await foreach (var line in LinksAsync(db, text, cancellationToken)) yield return line;

        // Shown as its repositories see it.
        var manifests = await db.Database.SqlQuery<Place>(
            $"""
             SELECT m.repository_id AS "RepositoryId", r.name AS "Repository", m.digest AS "Digest" FROM repositories r
                 JOIN manifests m ON m.repository_id = r.id AND m.digest = {text} ORDER BY r.name
             """).ToListAsync(cancellationToken);
        foreach (var manifest in manifests)
        {
            known = true;
            await foreach (var line in ManifestAsync(db, manifest, "", 0, cancellationToken)) yield return line;
        }

        if (!known) yield return "nothing here has this digest";
    }

    private async IAsyncEnumerable<string> LinksAsync(
        RegistryDbContext db, string digest, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var links = await (
            from link in db.BlobLinks.AsNoTracking()
            join repository in db.Repositories on link.RepositoryId equals repository.Id
            where link.Digest == digest
            orderby repository.Name
            select new { link, repository.Name }).Take(Most + 1).ToListAsync(cancellationToken);
        foreach (var found in links.Take(Most))
        {
            var (link, name) = (found.link, found.Name);
            yield return $"  link of {name}: made {Time(link.CreatedAt)}, last asked for {Time(link.TouchedAt)}"
                + (link.DeletedAt is { } hidden ? $", deleted {Time(hidden)} (can be restored until {Time(hidden + Grace)})" : "");
            var holders = await db.ManifestReferences.Where(row => row.RepositoryId == link.RepositoryId && row.BlobDigest == digest)
                .Select(row => row.ManifestDigest).Order().Take(Most + 1).ToListAsync(cancellationToken);
            foreach (var holder in holders.Take(Most))
            {
                await foreach (var line in ManifestAsync(db, new Place(link.RepositoryId, name, holder), "    needed by ", 1, cancellationToken)) yield return line;
            }

            if (holders.Count > Most) yield return "    and more manifests";
            if (holders.Count == 0)
                yield return $"    no manifest names it: it goes at {Time(Latest(link.TouchedAt, link.DeletedAt) + Grace)}, unless somebody asks for it";
        }

        if (links.Count > Most) yield return "  and links of more repositories";
    }

    private async IAsyncEnumerable<string> ManifestAsync(
        RegistryDbContext db, Place at, string before, int depth, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (id, digest) = (at.RepositoryId, at.Digest);
        var row = await db.Manifests.AsNoTracking().Where(manifest => manifest.RepositoryId == id && manifest.Digest == digest)
            .Select(manifest => new { manifest.DeletedAt, manifest.SubjectDigest }).SingleOrDefaultAsync(cancellationToken);
        if (row is null) yield break;

        var further = new string(' ', (before.Length == 0 ? 0 : 4) + 2 * depth);
        yield return $"{before}manifest {digest} of {at.Repository}"
            + (row.DeletedAt is { } hidden ? $", deleted {Time(hidden)} (can be restored until {Time(hidden + Grace)})" : "");
        var tags = await db.Tags.Where(tag => tag.RepositoryId == id && tag.ManifestDigest == digest).OrderBy(tag => tag.Name)
            .Select(tag => tag.Name).Take(Most + 1).ToListAsync(cancellationToken);
        if (tags.Count > 0) yield return $"{further}  tagged {string.Join(", ", tags.Take(Most))}{(tags.Count > Most ? " and more" : "")}";

        var parents = await db.ManifestReferences.Where(reference => reference.RepositoryId == id && reference.ChildDigest == digest)
            .Select(reference => reference.ManifestDigest).Order().Take(Most + 1).ToListAsync(cancellationToken);
        if (depth < Deepest)
        {
            foreach (var parent in parents.Take(Most))
            {
                await foreach (var line in ManifestAsync(db, at with { Digest = parent }, $"{further}  in ", depth + 1, cancellationToken)) yield return line;
            }
        }

        if (parents.Count > Most || (parents.Count > 0 && depth == Deepest)) yield return $"{further}  and in more indexes";
        var subject = row.SubjectDigest;
        var isReferrer = subject is not null && await db.Manifests.AnyAsync(
            manifest => manifest.RepositoryId == id && manifest.Digest == subject && manifest.DeletedAt == null, cancellationToken);
        if (isReferrer) yield return $"{further}  refers to {subject}, which is there";
        if (row.DeletedAt is { } gone && parents.Count == 0) yield return $"{further}  nothing keeps it: it goes at {Time(gone + Grace)}";
        if (row.DeletedAt is null && tags.Count + parents.Count == 0 && !isReferrer)
            yield return retention.RuleOf(RepositoryName.Parse(at.Repository)) is { } rule
                ? $"{further}  untagged: the rule {rule.Pattern} hides it once that is {rule.After:c} old"
                : $"{further}  untagged, and no retention rule is for {at.Repository}: it stays";
    }

    private static DateTimeOffset Latest(DateTimeOffset one, DateTimeOffset? other) => other > one ? other.Value : one;

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("u", CultureInfo.InvariantCulture);

    private sealed record Place(long RepositoryId, string Repository, string Digest);
}
