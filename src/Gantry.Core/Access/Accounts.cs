using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gantry.Core.Access;

/// <summary>The accounts in the database. Names and passwords are checked before they come here.</summary>
public sealed class Accounts(IDbContextFactory<RegistryDbContext> database, PasswordHashing hashing)
{
    // Compiled once: this one runs for each request with a password.
    private static readonly Func<RegistryDbContext, string, CancellationToken, Task<AccountRow?>> ByName =
        EF.CompileAsyncQuery((RegistryDbContext db, string name, CancellationToken _) =>
            db.Accounts.AsNoTracking().FirstOrDefault(row => row.Name == name));

    /// <summary>Null: there is no such account.</summary>
    internal async Task<AccountRow?> FindRowAsync(AccountName name, CancellationToken cancellation)
    {
        await using var db = await database.CreateDbContextAsync(cancellation);
        return await ByName(db, name.ToString(), cancellation);
    }

    /// <summary>
    /// Null: there is no such account, or it is disabled, or its security stamp is another one by
    /// now.
    /// </summary>
    public async Task<Account?> FindAsync(AccountName name, Guid securityStamp, CancellationToken cancellation = default)
    {
        var row = await FindRowAsync(name, cancellation);
        return row is { DisabledAt: null } && row.SecurityStamp == securityStamp
            ? new Account(name, row.IsAdministrator)
            : null;
    }

    public async Task<bool> AnyAsync(CancellationToken cancellation = default)
    {
        await using var db = await database.CreateDbContextAsync(cancellation);
        return await db.Accounts.AnyAsync(cancellation);
    }

    /// <summary>False: the name is taken.</summary>
    public async Task<bool> CreateAsync(
        AccountName name, string password, bool isAdministrator, CancellationToken cancellation = default)
    {
        var row = await NewRowAsync(name, password, isAdministrator, cancellation);
        await using var db = await database.CreateDbContextAsync(cancellation);
        db.Accounts.Add(row);
        try
        {
            await db.SaveChangesAsync(cancellation);
            return true;
        }
        catch (DbUpdateException e)
            when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return false;
        }
    }

    /// <summary>
    /// Gives an account another password (null: a generated one) and with it a new security stamp, which ends its
    /// docker logins and its remembered passwords on all nodes at once; bearer tokens run out by themselves.
    /// </summary>
    /// <returns>The new password, or null: there is no such account.</returns>
    /// <exception cref="ArgumentException">The password is too short or too long.</exception>
    public async Task<string?> ResetPasswordAsync(
        AccountName name, string? newPassword = null, CancellationToken cancellation = default)
    {
        var password = newPassword ?? PasswordRules.Generate();
        var hash = await NewHashAsync(password, cancellation);
        var stamp = Guid.NewGuid();
        await using var db = await database.CreateDbContextAsync(cancellation);
        var text = name.ToString();
        var changed = await db.Accounts.Where(row => row.Name == text).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.PasswordHash, hash).SetProperty(row => row.SecurityStamp, stamp),
            cancellation);
        return changed == 0 ? null : password;
    }

    /// <summary>Stops all logins of an account, or lets them in again; false: there is no such account.</summary>
    public async Task<bool> SetDisabledAsync(AccountName name, bool disabled, CancellationToken cancellation = default)
    {
        await using var db = await database.CreateDbContextAsync(cancellation);
        var at = disabled ? "now()" : "NULL";
        var sql = $"UPDATE accounts SET disabled_at = {at}, security_stamp = gen_random_uuid() WHERE name = {{0}}";
        return await db.Database.ExecuteSqlRawAsync(sql, [name.ToString()], cancellation) > 0;
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
        AccountName name, string password, bool isAdministrator, CancellationToken cancellation) =>
        new()
        {
            Name = name.ToString(),
            PasswordHash = await NewHashAsync(password, cancellation),
            IsAdministrator = isAdministrator,
            SecurityStamp = Guid.NewGuid(),
        };

    private Task<string> NewHashAsync(string password, CancellationToken cancellation) =>
        PasswordRules.FaultOf(password) is { } fault
            ? throw new ArgumentException($"the password {fault}", nameof(password))
            : hashing.HashAsync(password, cancellation);
}
