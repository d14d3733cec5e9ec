using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>
/// Secure by default: the first start on a database without accounts makes <c>admin</c>, with
/// <c>Access:AdminPassword</c> or with a generated password that is printed once. Later starts change nothing, whatever
/// <c>Access:AdminPassword</c> says: a setting left in a file must not undo a changed password
/// (<c>gantry-server admin reset-password</c> is for that).
/// </summary>
public sealed class AdminBootstrap(
    IDbContextFactory<RegistryDbContext> database, Accounts accounts, IOptions<AccessOptions> options)
{
    public const string Name = "admin";

    /// <param name="console">
    /// Where the generated password goes: the console itself, never the log, which is kept and sent elsewhere.
    /// </param>
    /// <returns>Whether the account was made now.</returns>
    public async Task<bool> RunAsync(TextWriter console, CancellationToken cancellation = default)
    {
        if (await accounts.AnyAsync(cancellation)) return false;

        // Two first starts at once must not print two passwords: the second waits here, and then finds the account.
        await using var db = await database.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({AccessLocks.AdminBootstrap})", cancellation);
        if (await accounts.AnyAsync(cancellation)) return false;

        var given = options.Value.AdminPassword;
        var password = given.Length > 0 ? given : PasswordRules.Generate();
        var name = AccountName.Parse(Name);
        db.Accounts.Add(await accounts.NewRowAsync(name, password, new AccountSettings { IsAdministrator = true }, cancellation));
        await db.SaveChangesAsync(cancellation);

        // Before the commit: if the process ends in between, the next start shows another one, not none at all.
        if (given.Length == 0)
        {
            await console.WriteAsync(Notice(password));
            await console.FlushAsync(cancellation);
        }

        await transaction.CommitAsync(cancellation);
        return true;
    }

    private static string Notice(string password)
    {
        var line = new string('=', 72);
        return $"""

            {line}
              First start: an administrator was made. This password is shown once.

                account:  {Name}
                password: {password}

              Another one: gantry-server admin reset-password
            {line}


            """;
    }
}

/// <summary>The advisory locks of this folder: "GANT" and a number.</summary>
internal static class AccessLocks
{
    public const long AdminBootstrap = 0x47414E54_00000101;
    public const long SigningKeys = 0x47414E54_00000102;
    public const long ProtectionKeys = 0x47414E54_00000103;
    public const long Trusts = 0x47414E54_00000104;
    public const long Webhooks = 0x47414E54_00000105;

    /// <summary>The first half of a lock a person, beside the hash of the subject.</summary>
    public const int FirstLogin = 0x47414E54;
}
