using System.Text;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Browse;

/// <summary>What its maintainers wrote about a repository.</summary>
/// <param name="Markdown">As it was written: hostile until it was rendered and cleaned.</param>
/// <param name="Account">Who wrote it.</param>
public sealed record Readme(string Markdown, string? Account, DateTimeOffset UpdatedAt);

/// <summary>Keeps READMEs of repositories.</summary>
public sealed class Readmes(IDbContextFactory<RegistryDbContext> contexts)
{
    /// <summary>In UTF-8.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>Null: there is none.</summary>
    public async Task<Readme?> FindAsync(RepositoryName repository, CancellationToken cancellationToken)
    {
        var name = repository.ToString();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await (from row in db.Readmes join of in db.Repositories on row.RepositoryId equals of.Id
                      where of.Name == name select new Readme(row.Markdown, row.Account, row.UpdatedAt)).SingleOrDefaultAsync(cancellationToken);
    }

    /// <summary>False: there is no such repository.</summary>
    /// <param name="repository">Whose.</param>
    /// <param name="markdown">All of it.</param>
    /// <param name="actor">Who writes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="expect">Sees what is there, null for nothing, while nobody else can change it; what it throws stops the change.</param>
    /// <exception cref="OciException">SIZE_INVALID (413): longer than <see cref="MaxBytes"/>. UNSUPPORTED (400): no text.</exception>
    public Task<bool> WriteAsync(
        RepositoryName repository, string markdown, Actor actor, CancellationToken cancellationToken, Action<Readme?>? expect = null)
    {
        if (markdown.Length > MaxBytes || Encoding.UTF8.GetByteCount(markdown) > MaxBytes)
            throw new OciException(OciErrorCode.SizeInvalid, $"a README has at most {MaxBytes} bytes", status: 413);
        if (markdown.Contains('\0', StringComparison.Ordinal) || !IsUnicode(markdown))
            throw new OciException(OciErrorCode.Unsupported, "a README is text: no NUL, no half of a surrogate pair", status: 400);
        return ChangeAsync(repository, EventKinds.ReadmeWrite, actor, expect, (db, id) => db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO readmes (repository_id, markdown, account) VALUES ({id}, {markdown}, {actor.Account})
             ON CONFLICT (repository_id) DO UPDATE SET markdown = excluded.markdown, account = excluded.account, updated_at = now()
             """, cancellationToken), cancellationToken);
    }

    /// <summary>False: there is none.</summary>
    /// <inheritdoc cref="WriteAsync" path="/param"/>
    public Task<bool> RemoveAsync(
        RepositoryName repository, Actor actor, CancellationToken cancellationToken, Action<Readme?>? expect = null) => ChangeAsync(
        repository, EventKinds.ReadmeRemove, actor, expect, (db, id) => db.Database.ExecuteSqlAsync($"DELETE FROM readmes WHERE repository_id = {id}", cancellationToken),
        cancellationToken);

    private Task<bool> ChangeAsync(
        RepositoryName repository, string kind, Actor actor, Action<Readme?>? expect, Func<RegistryDbContext, long, Task<int>> change,
        CancellationToken cancellationToken) =>
        contexts.InTransactionAsync(async db =>
        {
            if (await LockRepositoryAsync(db, repository, cancellationToken) is not { } id) return false;
            if (expect is not null) expect(await ReadAsync(db, id, cancellationToken));
            if (await change(db, id) == 0) return false;
            await db.AppendEventAsync(new Event(kind) { Repository = repository }, actor, cancellationToken);
            return true;
        }, cancellationToken);

    // A README that is not there yet cannot be locked; its repository can, by one writer at a time. Pushes do not wait for it.
    private static async Task<long?> LockRepositoryAsync(RegistryDbContext db, RepositoryName repository, CancellationToken cancellationToken)
    {
        var name = repository.ToString();
        var ids = await db.Database.SqlQuery<long>(
            $"""SELECT id AS "Value" FROM repositories WHERE name = {name} FOR NO KEY UPDATE""").ToListAsync(cancellationToken);
        return ids is [var id] ? id : null;
    }

    private static async Task<Readme?> ReadAsync(RegistryDbContext db, long repository, CancellationToken cancellationToken) =>
        (await db.Database.SqlQuery<Readme>(
            $"""
             SELECT markdown AS "Markdown", account AS "Account", updated_at AS "UpdatedAt" FROM readmes WHERE repository_id = {repository}
             """).ToListAsync(cancellationToken)).SingleOrDefault();

    private static bool IsUnicode(string text)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (!char.IsSurrogate(text[at])) continue;
            if (!char.IsSurrogatePair(text, at)) return false;
            at++;
        }

        return true;
    }
}
