using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Webhooks;

/// <summary>The webhooks of namespaces and of everything. Each change is one transaction with its event, which holds no URL and no secret.</summary>
public sealed class WebhookList
{
    /// <summary>Of one namespace, and of everything. All that want an event are told in one transaction.</summary>
    public const int MaxEach = 20;

    /// <summary>The largest page of a listing.</summary>
    public const int MaxPage = 1000;

    /// <summary>Characters of a name, and of an <c>Authorization</c> header.</summary>
    public const int MaxName = 200, MaxAuthorization = 4000;

    /// <summary>Secrets that are encrypted in one transaction.</summary>
    public const int SealBatch = 100;

    private readonly IDbContextFactory<RegistryDbContext> _contexts;
    private readonly WebhookSecrets _secrets;
    private readonly WebhookHttp _http;

    internal WebhookList(IDbContextFactory<RegistryDbContext> contexts, WebhookSecrets secrets, WebhookHttp http) =>
        (_contexts, _secrets, _http) = (contexts, secrets, http);

    /// <summary>In the order they were made, after <paramref name="last"/>.</summary>
    /// <param name="home">Null: all there are, whosever.</param>
    public async Task<IReadOnlyList<Webhook>> PageAsync(NamespaceName? home, long? last, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        var (name, after) = (home?.ToString(), last ?? 0);
        await using var db = await _contexts.CreateDbContextAsync(cancellationToken);
        var rows = db.Webhooks.Where(row => row.Id > after);
        if (name is not null) rows = rows.Where(row => db.Namespaces.Any(one => one.Id == row.NamespaceId && one.Name == name));
        var found = await WithHomes(db, rows.OrderBy(row => row.Id).Take(limit)).ToListAsync(cancellationToken);
        return found.ConvertAll(one => one.Row.ToWebhook(one.Home));
    }

    /// <summary>Null: there is none.</summary>
    public async Task<Webhook?> FindAsync(long id, CancellationToken cancellationToken)
    {
        await using var db = await _contexts.CreateDbContextAsync(cancellationToken);
        return await FindAsync(db, id, cancellationToken) is { } one ? one.Row.ToWebhook(one.Home) : null;
    }

    /// <param name="home">Whose events; null: everybody's.</param>
    /// <returns>Null: there is no such namespace.</returns>
    /// <exception cref="OciException">UNSUPPORTED (400): the settings forbid the target, or the kinds do not fit. DENIED (409): there are <see cref="MaxEach"/>.</exception>
    public async Task<MadeWebhook?> CreateAsync(NamespaceName? home, NewWebhookSettings settings, Actor actor, CancellationToken cancellationToken)
    {
        Require(settings.Url, settings.Kinds, settings.Format, home is not null);
        var (secret, name) = (settings.Secret ?? WebhookSecret.Generate(), home?.ToString());
        var (format, kinds) = (WebhookRows.WordOf(settings.Format), settings.Kinds.Distinct().Order(StringComparer.Ordinal).ToArray());
        var made = await _contexts.InTransactionAsync(async db =>
        {
            if (await LockHomeAsync(db, name, cancellationToken) is not { } homeId) return null;
            await RequireRoomAsync(db, homeId, name, cancellationToken);
            // The number comes first: the sealed secret is bound to it.
            var id = (await db.Database.SqlQuery<long>($"SELECT nextval(pg_get_serial_sequence('webhooks', 'id')) AS \"Value\"").ToListAsync(cancellationToken))[0];
            var (sealedSecret, credential) = (_secrets.Seal(id, secret), _secrets.SealAuthorization(id, settings.Authorization));
            var (url, repositories, owner) = ($"{settings.Url}", $"{settings.Repositories}", homeId == 0 ? (long?)null : homeId);
            await db.Database.ExecuteSqlAsync(
                $"""
                 INSERT INTO webhooks (id, namespace_id, name, url, format, kinds, repositories, secret, credential, active)
                 OVERRIDING SYSTEM VALUE
                 VALUES ({id}, {owner}, {settings.Name}, {url}, {format}, {kinds}, {repositories}, {sealedSecret}, {credential}, {settings.Active})
                 """, cancellationToken);
            await TellAsync(db, EventKinds.WebhookCreate, id, name, settings.Name, settings.Url.Origin, actor, cancellationToken);
            return await FindAsync(db, id, cancellationToken);
        }, cancellationToken);
        return made is null ? null : new MadeWebhook(made.Row.ToWebhook(made.Home), secret);
    }

    /// <param name="expect">Throws where the webhook is not what the caller has seen; asked while nobody else can change it.</param>
    /// <returns>As it is now; null: there is none.</returns>
    /// <exception cref="OciException">
    /// UNSUPPORTED (400): the settings forbid the target, the kinds do not fit, or there is an authorization that was given for another host and is not given again.
    /// </exception>
    public Task<Webhook?> ChangeAsync(
        long id, WebhookChanges changes, Action<Webhook>? expect, Actor actor, CancellationToken cancellationToken) =>
        _contexts.InTransactionAsync(async db =>
        {
            if (await LockAsync(db, id, expect, cancellationToken) is not var (row, home)) return null;
            Require(changes.Url, changes.Kinds ?? row.Kinds, changes.Format ?? WebhookRows.FormatOf(row.Format), home is not null);
            // Whoever chooses another target may never have known the header, which would be sent there.
            if (row.Credential is not null && changes is { Url: { } target, Authorization: null } && target.Origin != WebhookUrl.Parse(row.Url).Origin)
                throw new OciException(OciErrorCode.Unsupported, "the authorization was given for another host: it has to be given again, or dropped", status: 400);
            row.Name = changes.Name ?? row.Name;
            row.Url = changes.Url?.ToString() ?? row.Url;
            row.Format = changes.Format is { } format ? WebhookRows.WordOf(format) : row.Format;
            row.Kinds = changes.Kinds?.Distinct().Order(StringComparer.Ordinal).ToArray() ?? row.Kinds;
            row.Repositories = changes.Repositories?.ToString() ?? row.Repositories;
            row.Active = changes.Active ?? row.Active;
            if (changes.Secret is { } secret) row.Secret = _secrets.Seal(id, secret);
            if (changes.Authorization is { } authorization) row.Credential = _secrets.SealAuthorization(id, authorization);
            // A new target is a new chance.
            if (changes.Url is not null) (row.FailedSince, row.Failing) = (null, false);
            await db.SaveChangesAsync(cancellationToken);
            await TellAsync(db, EventKinds.WebhookChange, id, home, row.Name, $"{changes}", actor, cancellationToken);
            return row.ToWebhook(home);
        }, cancellationToken);

    /// <summary>Removes it with its deliveries; what is under way ends. False: there is none.</summary>
    /// <param name="expect">As for a change.</param>
    public Task<bool> DeleteAsync(long id, Action<Webhook>? expect, Actor actor, CancellationToken cancellationToken) =>
        _contexts.InTransactionAsync(async db =>
        {
            if (await LockAsync(db, id, expect, cancellationToken) is not var (row, home)) return false;
            await db.Webhooks.Where(one => one.Id == id).ExecuteDeleteAsync(cancellationToken);
            await TellAsync(db, EventKinds.WebhookDelete, id, home, row.Name, null, actor, cancellationToken);
            return true;
        }, cancellationToken);

    /// <summary>Encrypts secrets that lie plain from before a key was configured.</summary>
    /// <returns>How many; less than <see cref="SealBatch"/>: for now there are no more.</returns>
    public Task<int> SealAsync(CancellationToken cancellationToken) => !_secrets.Encrypts ? Task.FromResult(0) : _contexts.InTransactionAsync(async db =>
    {
        var plain = await db.Webhooks.FromSql(
            $"""
             SELECT * FROM webhooks WHERE get_byte(secret, 0) = {WebhookSecrets.Plain} OR get_byte(credential, 0) = {WebhookSecrets.Plain}
             ORDER BY id LIMIT {SealBatch} FOR NO KEY UPDATE
             """).AsTracking().ToListAsync(cancellationToken);
        foreach (var row in plain)
        {
            var (secret, authorization) = (_secrets.SecretOf(row), _secrets.AuthorizationOf(row));
            (row.Secret, row.Credential) = (_secrets.Seal(row.Id, secret), _secrets.SealAuthorization(row.Id, authorization));
        }

        await db.SaveChangesAsync(cancellationToken);
        return plain.Count;
    }, cancellationToken);

    private void Require(WebhookUrl? url, IReadOnlyList<string> kinds, WebhookFormat format, bool isOfNamespace)
    {
        if (url is { } target && _http.FaultOf(target) is { } refused) throw new OciException(OciErrorCode.Unsupported, $"the url {refused}", status: 400);
        if (WebhookKinds.FaultOf(kinds, format, isOfNamespace) is { } unfit) throw new OciException(OciErrorCode.Unsupported, $"the kinds {unfit}", status: 400);
    }

    // 0: of everything. The namespace's row makes two that are added at once wait for each other.
    private static async Task<long?> LockHomeAsync(RegistryDbContext db, string? name, CancellationToken cancellationToken)
    {
        if (name is not null)
        {
            var ids = await db.Database.SqlQuery<long>($"SELECT id AS \"Value\" FROM namespaces WHERE name = {name} FOR NO KEY UPDATE").ToListAsync(cancellationToken);
            return ids.Count == 0 ? null : ids[0];
        }

        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({AccessLocks.Webhooks})", cancellationToken);
        return 0;
    }

    private static async Task RequireRoomAsync(RegistryDbContext db, long home, string? name, CancellationToken cancellationToken)
    {
        var count = await db.Webhooks.CountAsync(row => home == 0 ? row.NamespaceId == null : row.NamespaceId == home, cancellationToken);
        if (count >= MaxEach) throw new OciException(OciErrorCode.Denied, $"{name ?? "the registry"} has {MaxEach} webhooks, the most there may be", 409);
    }

    private static async Task<WithHome?> LockAsync(RegistryDbContext db, long id, Action<Webhook>? expect, CancellationToken cancellationToken)
    {
        var rows = await db.Webhooks.FromSql($"SELECT * FROM webhooks WHERE id = {id} FOR UPDATE").AsTracking().ToListAsync(cancellationToken);
        if (rows.Count == 0) return null;
        var home = await db.Namespaces.Where(one => one.Id == rows[0].NamespaceId).Select(one => one.Name).SingleOrDefaultAsync(cancellationToken);
        expect?.Invoke(rows[0].ToWebhook(home));
        return new WithHome(rows[0], home);
    }

    private static Task<WithHome?> FindAsync(RegistryDbContext db, long id, CancellationToken cancellationToken) =>
        WithHomes(db, db.Webhooks.Where(row => row.Id == id)).SingleOrDefaultAsync(cancellationToken);

    private static IQueryable<WithHome> WithHomes(RegistryDbContext db, IQueryable<WebhookRow> rows) =>
        from row in rows.AsNoTracking()
        join home in db.Namespaces on row.NamespaceId equals home.Id into homes
        from home in homes.DefaultIfEmpty()
        orderby row.Id
        select new WithHome(row, home.Name);

    private static Task TellAsync(
        RegistryDbContext db, string kind, long id, string? home, string name, string? detail, Actor actor, CancellationToken cancellationToken) =>
        db.AppendEventAsync(
            new Event(kind) { Namespace = home, Subject = name, Detail = detail is null ? $"webhook {id}" : $"webhook {id}: {detail}" }, actor, cancellationToken);

    private sealed record WithHome(WebhookRow Row, string? Home);
}
