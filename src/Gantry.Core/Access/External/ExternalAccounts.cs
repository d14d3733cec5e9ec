using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>
/// The accounts of people whom a provider of logins knows. An account belongs to the provider's subject, never to a
/// name: who takes another's name there gets an account of his own here. It is made by the first login and brought up to
/// date by each later one; a login that changes nothing writes nothing.
/// </summary>
public sealed class ExternalAccounts(
    IDbContextFactory<RegistryDbContext> database, AccessWriting writing, IOptions<AccessOptions> options)
{
    /// <summary>How many accounts may want the same name.</summary>
    private const int MaxNumber = 1000;

    /// <summary>Null: the account is disabled.</summary>
    /// <param name="identity">What the provider's protocol has proven.</param>
    /// <param name="actor">Where the login comes from; the account in it is not looked at.</param>
    /// <exception cref="ArgumentException">The provider's name has a '/', or the subject is no text of 512 characters at most.</exception>
    /// <exception cref="OciException">Denied: a thousand accounts have the name already.</exception>
    public async Task<LoggedIn?> SignInAsync(
        ExternalIdentity identity, LoginMethod method, Actor actor, CancellationToken cancellationToken)
    {
        if (identity.Provider.Contains('/', StringComparison.Ordinal) || !ExternalProfile.IsText(identity.Provider))
            throw new ArgumentException($"'{identity.Provider}' cannot be a provider's name", nameof(identity));
        if (!ExternalProfile.IsText(identity.Subject))
            throw new ArgumentException($"a subject of {identity.Provider} is empty, too long or no text", nameof(identity));

        var profile = ExternalProfile.Of(identity);
        var row = await FindAsync(identity, cancellationToken) ?? await CreateAsync(identity, profile, actor, cancellationToken);
        if (row.DisabledAt is not null) return null;
        if (await ChangesAsync(row, identity, profile, cancellationToken) is { Length: > 0 } changes)
        {
            await ChangeAsync(row, identity, profile, changes, actor, cancellationToken);
            if (await FindAsync(identity, cancellationToken) is not { DisabledAt: null } changed) return null;
            row = changed;
        }

        var way = method == LoginMethod.Ldap ? "LDAP" : "single sign-on";
        return row.ToLogin(method) with { Detail = $"{way}: {identity.Provider}, subject {identity.Subject}" };
    }

    private async Task<AccountRow?> FindAsync(ExternalIdentity identity, CancellationToken cancellationToken)
    {
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        return await db.Accounts.FromSql(
                $"""
                 SELECT a.* FROM account_identities i JOIN accounts a ON a.id = i.account_id
                 WHERE i.provider = {identity.Provider} AND i.subject = {identity.Subject}
                 """).AsNoTracking().SingleOrDefaultAsync(cancellationToken);
    }

    private async Task<AccountRow> CreateAsync(
        ExternalIdentity identity, ExternalProfile profile, Actor actor, CancellationToken cancellationToken)
    {
        var suggestion = SuggestedName.Of(identity.Name);
        for (var number = 1; number <= MaxNumber; number++)
        {
            var name = SuggestedName.Numbered(suggestion, number).ToString();
            var what = new Event(EventKinds.AccountCreate) { Subject = name, Detail = $"first login through {identity.Provider}" };
            await writing.ChangeAsync(
                what, actor with { Account = name }, name, db => InsertAsync(db, name, identity, profile, cancellationToken),
                cancellationToken);
            // Made here, or by another first login of the same person meanwhile.
            if (await FindAsync(identity, cancellationToken) is { } row) return row;
        }

        throw new OciException(OciErrorCode.Denied, $"there are {MaxNumber} accounts named {suggestion} already");
    }

    // False: the name is taken, or the person has an account by now.
    private async Task<bool> InsertAsync(
        RegistryDbContext db, string name, ExternalIdentity identity, ExternalProfile profile, CancellationToken cancellationToken)
    {
        // First logins of one person come here one after the other, whatever name they suggest.
        var one = $"{identity.Provider}/{identity.Subject}";
        await db.Database.ExecuteSqlAsync(
            $"SELECT pg_advisory_xact_lock({AccessLocks.FirstLogin}, hashtext({one}))", cancellationToken);
        if (await db.AccountIdentities.AnyAsync(
                row => row.Provider == identity.Provider && row.Subject == identity.Subject, cancellationToken)) return false;

        return await db.Database.ExecuteSqlAsync(
            $"""
             WITH made AS (
                 INSERT INTO accounts (name, security_stamp, is_administrator, creates_namespaces, display_name, email)
                 VALUES ({name}, {Guid.NewGuid()}, {profile.IsAdministrator ?? false},
                         {options.Value.NewAccountsCreateNamespaces}, {profile.DisplayName}, {profile.Email})
                 ON CONFLICT (name) DO NOTHING RETURNING id),
             groups AS (
                 INSERT INTO account_groups (account_id, name)
                 SELECT made.id, g FROM made, unnest({profile.Groups}) g)
             INSERT INTO account_identities (provider, subject, account_id)
             SELECT {identity.Provider}, {identity.Subject}, made.id FROM made
             """, cancellationToken) > 0;
    }

    // What the provider says otherwise than the account, in words; empty: nothing.
    private async Task<string> ChangesAsync(
        AccountRow row, ExternalIdentity identity, ExternalProfile profile, CancellationToken cancellationToken)
    {
        var prefix = ExternalProfile.Prefix(identity.Provider);
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var groups = await db.AccountGroups.Where(group => group.AccountId == row.Id && group.Name.StartsWith(prefix))
            .Select(group => group.Name).ToListAsync(cancellationToken);
        var settings = new AccountSettings
        {
            IsAdministrator = profile.IsAdministrator == row.IsAdministrator ? null : profile.IsAdministrator,
            DisplayName = profile.DisplayName == row.DisplayName ? null : profile.DisplayName,
            Email = profile.Email == row.Email ? null : profile.Email,
        };
        string[] parts = [settings.ToString(), groups.ToHashSet(StringComparer.Ordinal).SetEquals(profile.Groups) ? "" : "groups"];
        return string.Join(", ", parts.Where(part => part.Length > 0));
    }

    // Groups of other providers stay, as do name and address where this one has none.
    private Task<bool> ChangeAsync(
        AccountRow row, ExternalIdentity identity, ExternalProfile profile, string changes, Actor actor,
        CancellationToken cancellationToken)
    {
        var what = new Event(EventKinds.AccountChange) { Subject = row.Name, Detail = $"{changes}, by {identity.Provider}" };
        var prefix = ExternalProfile.Prefix(identity.Provider);
        return writing.ChangeAsync(
            what, actor with { Account = row.Name }, row.Name,
            async db =>
            {
                // Locked first: of two logins at once the second finds nothing to change, and groups need an account.
                if (await db.Accounts.FromSql($"SELECT * FROM accounts WHERE id = {row.Id} FOR UPDATE").AsNoTracking()
                        .SingleOrDefaultAsync(cancellationToken) is null) return false;
                return await db.Database.ExecuteSqlAsync(
                    $"""
                     DELETE FROM account_groups
                     WHERE account_id = {row.Id} AND starts_with(name, {prefix}) AND name <> ALL ({profile.Groups});
                     INSERT INTO account_groups (account_id, name) SELECT {row.Id}, g FROM unnest({profile.Groups}) g
                     ON CONFLICT DO NOTHING;
                     UPDATE accounts SET
                         is_administrator = coalesce({profile.IsAdministrator}, is_administrator),
                         display_name = coalesce({profile.DisplayName}, display_name),
                         email = coalesce({profile.Email}, email)
                     WHERE id = {row.Id} AND (is_administrator <> coalesce({profile.IsAdministrator}, is_administrator)
                         OR display_name IS DISTINCT FROM coalesce({profile.DisplayName}, display_name)
                         OR email IS DISTINCT FROM coalesce({profile.Email}, email))
                     """, cancellationToken) > 0;
            }, cancellationToken);
    }
}
