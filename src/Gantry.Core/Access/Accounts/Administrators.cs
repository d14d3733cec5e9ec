using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

/// <summary>A registry keeps one administrator who can log in: without any, only its console could make another.</summary>
internal static class Administrators
{
    /// <summary>
    /// Before a change that takes an account from among them. Every enabled administrator stays locked until the commit,
    /// in one order: of two who go at the same time, the second finds that he is the last.
    /// </summary>
    /// <exception cref="OciException">DENIED (409): there would be none left.</exception>
    public static async Task KeepOneBesidesAsync(
        this RegistryDbContext db, string account, CancellationToken cancellationToken)
    {
        var enabled = await db.Database.SqlQuery<string>(
            $"""
             SELECT name AS "Value" FROM accounts WHERE is_administrator AND disabled_at IS NULL
             ORDER BY id FOR NO KEY UPDATE
             """).ToListAsync(cancellationToken);
        if (enabled.Count == 1 && enabled[0] == account)
        {
            throw new OciException(
                OciErrorCode.Denied, $"{account} is the last administrator who is not disabled: make another one first", 409);
        }
    }

    /// <summary>Whoever makes a robot's access tokens would be an administrator too: its namespace's maintainers.</summary>
    /// <exception cref="OciException">DENIED (409): it is a robot.</exception>
    public static async Task RefuseRobotAsync(this RegistryDbContext db, string account, CancellationToken cancellationToken)
    {
        if (await db.Accounts.AnyAsync(row => row.Name == account && row.Kind == "robot", cancellationToken))
            throw new OciException(OciErrorCode.Denied, $"{account} is a robot, and robots are no administrators", 409);
    }
}
