using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

internal static class AccountReading
{
    /// <summary>The row as the rules see it. Whether it is disabled is the caller's to ask first.</summary>
    public static Account ToAccount(this AccountRow row) =>
        new(row.Id, AccountName.Parse(row.Name), row.IsAdministrator, row.CreatesNamespaces,
            row.Kind == "robot" ? AccountKind.Robot : AccountKind.Person);

    public static LoggedIn ToLogin(this AccountRow row, LoginMethod method = LoginMethod.Password) =>
        new(row.ToAccount(), row.SecurityStamp, method);

    public static LoggedIn ToLogin(this AccountRow row, AccessTokenRow token) =>
        row.ToLogin(LoginMethod.AccessToken) with
        {
            AccessTokenId = token.Id,
            Limit = AccessLimit.Parse(token.Scopes),
            Expires = token.ExpiresAt,
            Detail = $"access token {token.Id} ({token.Name})",
        };

    /// <summary>Writes what is set; how many accounts of that name there are: one or none.</summary>
    public static Task<int> UpdateAsync(
        this RegistryDbContext db, string account, AccountSettings settings, CancellationToken cancellation) =>
        db.Database.ExecuteSqlAsync(
            $"""
             UPDATE accounts SET
                 disabled_at = CASE {settings.Disabled}::boolean WHEN true THEN coalesce(disabled_at, now()) WHEN false THEN NULL
                               ELSE disabled_at END,
                 security_stamp = CASE WHEN {settings.Disabled}::boolean THEN gen_random_uuid() ELSE security_stamp END,
                 is_administrator = coalesce({settings.IsAdministrator}, is_administrator),
                 creates_namespaces = coalesce({settings.CreatesNamespaces}, creates_namespaces),
                 display_name = coalesce({settings.DisplayName}, display_name),
                 email = coalesce({settings.Email}, email)
             WHERE name = {account}
             """, cancellation);
}
