namespace Gantry.Core.Access;

public enum AccountKind
{
    /// <summary>Logs in with a password, or through a provider of logins, or with personal access tokens.</summary>
    Person,

    /// <summary>Belongs to a namespace; logs in with access tokens of its own, or keyless.</summary>
    Robot,
}

/// <summary>An account that exists and is not disabled, as the rules see it.</summary>
/// <param name="Id">Never used twice: an account made anew under an old name is another one.</param>
/// <param name="CreatesNamespaces">Whether its first push to a namespace that does not exist makes that namespace.</param>
public sealed record Account(
    long Id, AccountName Name, bool IsAdministrator = false, bool CreatesNamespaces = false,
    AccountKind Kind = AccountKind.Person);
