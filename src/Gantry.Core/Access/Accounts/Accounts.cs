using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

/// <summary>What of an account can be changed; null: left as it is.</summary>
public sealed record AccountSettings
{
    /// <summary>Disabled: every login, bearer tokens too, ends at once.</summary>
    public bool? Disabled { get; init; }

    public bool? IsAdministrator { get; init; }

    /// <inheritdoc cref="Account.CreatesNamespaces"/>
    public bool? CreatesNamespaces { get; init; }

    public string? DisplayName { get; init; }

    public string? Email { get; init; }

    public override string ToString()
    {
        string?[] parts =
        [
            Disabled switch { true => "disabled", false => "enabled", null => null },
            IsAdministrator switch { true => "administrator", false => "no administrator", null => null },
            CreatesNamespaces switch { true => "creates namespaces", false => "creates no namespaces", null => null },
            DisplayName is null ? null : "display name", Email is null ? null : "e-mail address",
        ];
        return string.Join(", ", parts.Where(part => part is not null));
    }
}

/// <summary>The accounts in the database. Names and passwords are checked before they come here.</summary>
public sealed class Accounts(
    IDbContextFactory<RegistryDbContext> database, AccessWriting writing, PasswordHashing hashing)
{
    /// <summary>The largest page of a listing.</summary>
    public const int MaxPage = 1000;

    // Compiled once: this one runs for each request with a password.
    private static readonly Func<RegistryDbContext, string, CancellationToken, Task<AccountRow?>> ByName =
        EF.CompileAsyncQuery((RegistryDbContext db, string name, CancellationToken _) =>
            db.Accounts.AsNoTracking().FirstOrDefault(row => row.Name == name));

    /// <summary>Null: there is no such account.</summary>
    public async Task<AccountRow?> FindRowAsync(AccountName name, CancellationToken cancellation)
    {
        await using var db = await database.CreateDbContextAsync(cancellation);
        return await ByName(db, name.ToString(), cancellation);
    }

    /// <summary>Null: there is no such account, or it is disabled.</summary>
    public async Task<Account?> FindAsync(AccountName name, CancellationToken cancellation) =>
        await FindRowAsync(name, cancellation) is { DisabledAt: null } row ? row.ToAccount() : null;

    /// <summary>Accounts by name, people and robots, after <paramref name="last"/>.</summary>
    public async Task<IReadOnlyList<AccountRow>> PageAsync(string? last, int limit, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage + 1);
        await using var db = await database.CreateDbContextAsync(cancellation);
        var after = last ?? "";
        return await db.Accounts
            .FromSql($"SELECT * FROM accounts WHERE name > {after} ORDER BY name LIMIT {limit}")
            .AsNoTracking().ToListAsync(cancellation);
    }

    public async Task<bool> AnyAsync(CancellationToken cancellation = default)
    {
        await using var db = await database.CreateDbContextAsync(cancellation);
        return await db.Accounts.AnyAsync(cancellation);
    }

    /// <summary>Makes a person's account. False: the name is taken.</summary>
    /// <param name="password">Null: none; the account logs in through a provider.</param>
    /// <exception cref="ArgumentException">The password is too short or too long, or the name is kept for others.</exception>
    public async Task<bool> CreateAsync(
        AccountName name, string? password, AccountSettings settings, Actor actor, CancellationToken cancellation = default)
    {
        if (name.IsReserved) throw new ArgumentException($"the name {name} is kept for robots and keyless logins", nameof(name));
        var row = await NewRowAsync(name, password, settings, cancellation);
        return await writing.ChangeAsync(
            new Event(EventKinds.AccountCreate) { Subject = row.Name, Detail = settings.ToString() }, actor, row.Name,
            async db => await db.Database.ExecuteSqlAsync(
                $"""
                 INSERT INTO accounts (name, password_hash, is_administrator, creates_namespaces, display_name, email, security_stamp)
                 VALUES ({row.Name}, {row.PasswordHash}, {row.IsAdministrator}, {row.CreatesNamespaces}, {row.DisplayName},
                         {row.Email}, {row.SecurityStamp})
                 ON CONFLICT (name) DO NOTHING
                 """, cancellation) > 0, cancellation);
    }

    /// <inheritdoc cref="ChangeAsync(AccountName, AccountSettings, Action{AccountRow}, Actor, CancellationToken)"/>
    public Task<bool> ChangeAsync(AccountName name, AccountSettings settings, Actor actor, CancellationToken cancellation = default) =>
        ChangeAsync(name, settings, null, actor, cancellation);

    /// <summary>False: there is no such account.</summary>
    /// <param name="name">Whose.</param>
    /// <param name="settings">What is null stays.</param>
    /// <param name="expect">Sees the account while nobody else can change it; what it throws stops the change.</param>
    /// <param name="actor">Who changes it.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="OciException">DENIED (409): it is the last administrator, or would be a robot that is one.</exception>
    public Task<bool> ChangeAsync(
        AccountName name, AccountSettings settings, Action<AccountRow>? expect, Actor actor, CancellationToken cancellation)
    {
        var text = name.ToString();
        return writing.ChangeAsync(
            new Event(EventKinds.AccountChange) { Subject = text, Detail = settings.ToString() }, actor, text,
            async db =>
            {
                if (settings is { Disabled: true } or { IsAdministrator: false }) await db.KeepOneBesidesAsync(text, cancellation);
                await ExpectAsync(db, text, expect, cancellation);
                if (settings.IsAdministrator == true) await db.RefuseRobotAsync(text, cancellation);
                return await db.UpdateAsync(text, settings, cancellation) > 0;
            }, cancellation);
    }

    /// <summary>Stops all logins of an account at once, or lets them in again; false: there is no such account.</summary>
    public Task<bool> SetDisabledAsync(
        AccountName name, bool disabled, Actor actor, CancellationToken cancellation = default) =>
        ChangeAsync(name, new AccountSettings { Disabled = disabled }, actor, cancellation);

    /// <inheritdoc cref="DeleteAsync(AccountName, Action{AccountRow}, Actor, CancellationToken)"/>
    public Task<bool> DeleteAsync(AccountName name, Actor actor, CancellationToken cancellation = default) => DeleteAsync(name, null, actor, cancellation);

    /// <summary>Removes an account with its memberships, access tokens and trusts. False: there was none.</summary>
    /// <param name="name">Whose.</param>
    /// <param name="expect">As of a change.</param>
    /// <param name="actor">Who removes it.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="OciException">DENIED (409): it is the last administrator, or the actor itself.</exception>
    public Task<bool> DeleteAsync(AccountName name, Action<AccountRow>? expect, Actor actor, CancellationToken cancellation)
    {
        var text = name.ToString();
        if (actor.Account == text)
            throw new OciException(OciErrorCode.Denied, "an account does not delete itself: another administrator can", 409);
        return writing.ChangeAsync(
            new Event(EventKinds.AccountDelete) { Subject = text }, actor, text,
            async db =>
            {
                await db.KeepOneBesidesAsync(text, cancellation);
                await ExpectAsync(db, text, expect, cancellation);
                return await db.Accounts.Where(row => row.Name == text).ExecuteDeleteAsync(cancellation) > 0;
            }, cancellation);
    }

    /// <summary>
    /// Gives an account another password (null: a generated one) and with it a new security stamp, which ends its
    /// docker logins and its remembered passwords on all nodes at once; bearer tokens run out by themselves.
    /// </summary>
    /// <returns>The new password, or null: there is no such account.</returns>
    /// <exception cref="ArgumentException">The password is too short or too long.</exception>
    public async Task<string?> ResetPasswordAsync(
        AccountName name, string? newPassword, Actor actor, CancellationToken cancellation = default)
    {
        var password = newPassword ?? PasswordRules.Generate();
        var hash = await NewHashAsync(password, cancellation);
        var (stamp, text) = (Guid.NewGuid(), name.ToString());
        var changed = await writing.ChangeAsync(
            new Event(EventKinds.AccountChange) { Subject = text, Detail = "new password" }, actor, text,
            async db => await db.Accounts.Where(row => row.Name == text && row.Kind == "person").ExecuteUpdateAsync(
                set => set.SetProperty(row => row.PasswordHash, hash).SetProperty(row => row.SecurityStamp, stamp),
                cancellation) > 0, cancellation);
        return changed ? password : null;
    }

    // After the administrators, which are locked together and in order.
    private static async Task ExpectAsync(RegistryDbContext db, string name, Action<AccountRow>? expect, CancellationToken cancellation)
    {
        if (expect is null) return;
        var rows = await db.Accounts.FromSql($"SELECT * FROM accounts WHERE name = {name} FOR UPDATE").AsNoTracking().ToListAsync(cancellation);
        rows.ForEach(expect);
    }

    /// <summary>
    /// Replaces a hash made with weaker parameters. The stamp stays: the password is the same. Nothing happens when the
    /// password was changed meanwhile.
    /// </summary>
    internal async Task RenewHashAsync(AccountName name, string oldHash, string password, CancellationToken cancellation)
    {
        var hash = await hashing.HashAsync(password, cancellation);
        await using var db = await database.CreateDbContextAsync(cancellation);
        var text = name.ToString();
        await db.Accounts.Where(row => row.Name == text && row.PasswordHash == oldHash)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.PasswordHash, hash), cancellation);
    }

    internal async Task<AccountRow> NewRowAsync(
        AccountName name, string? password, AccountSettings settings, CancellationToken cancellation) =>
        new()
        {
            Name = name.ToString(),
            PasswordHash = password is null ? null : await NewHashAsync(password, cancellation),
            IsAdministrator = settings.IsAdministrator ?? false,
            CreatesNamespaces = settings.CreatesNamespaces ?? false,
            DisplayName = settings.DisplayName,
            Email = settings.Email,
            SecurityStamp = Guid.NewGuid(),
        };

    private Task<string> NewHashAsync(string password, CancellationToken cancellation) =>
        PasswordRules.FaultOf(password) is { } fault
            ? throw new ArgumentException($"the password {fault}", nameof(password))
            : hashing.HashAsync(password, cancellation);
}
