namespace Gantry.Core.Access;

/// <summary>How an account proved that it is one; the words stand in the audit trail.</summary>
public enum LoginMethod
{
    Password,
    AccessToken,
    Ldap,
    SingleSignOn,

    /// <summary>A token of a configured issuer (CI), exchanged by a trust.</summary>
    Keyless,
}

/// <summary>An account that has proven itself, and how much of its rights that proof carries.</summary>
public sealed record LoggedIn(Account Account, Guid SecurityStamp, LoginMethod Method = LoginMethod.Password)
{
    /// <summary>The most that this login may do, whatever the account may.</summary>
    public AccessLimit Limit { get; init; } = AccessLimit.Everything;

    /// <summary>The access token that was shown; it ends what was made from it when it is revoked.</summary>
    public long? AccessTokenId { get; init; }

    /// <summary>The trust that accepted a token of an issuer; the same holds for it.</summary>
    public long? TrustId { get; init; }

    /// <summary>When the proof itself ends; nothing that is made from it outlives that. Null: it does not.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>How long something made from this proof may live, that would live so long by itself.</summary>
    internal TimeSpan Shorten(TimeSpan lifetime, DateTimeOffset now) =>
        Expires - now is { } left && left < lifetime ? left : lifetime;

    /// <summary>For the audit trail: which access token, which subject of which issuer. Holds no secret.</summary>
    public string? Detail { get; init; }
}
