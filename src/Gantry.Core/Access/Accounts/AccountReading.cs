using Gantry.Core.Data;

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
}
