namespace Gantry.Core.Access;

/// <summary>An account that exists and is not disabled, as the rules see it.</summary>
public sealed record Account(AccountName Name, bool IsAdministrator);
