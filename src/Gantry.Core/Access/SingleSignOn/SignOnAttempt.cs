namespace Gantry.Core.Access;

/// <summary>A sign-on on its way; the browser keeps it, sealed, until it comes back from the provider.</summary>
/// <param name="State">Sent along and sent back (RFC 6749, 10.12): the answer belongs to this browser.</param>
/// <param name="Nonce">Stands in the ID token: it was made for this sign-on.</param>
/// <param name="Verifier">Proves to the provider that who redeems the code is who asked for it (RFC 7636).</param>
/// <param name="RedirectUri">Named again when the code is redeemed.</param>
/// <param name="ReturnPath">Where the browser goes in the end; a path of this host.</param>
public sealed record SignOnAttempt(
    string Provider, string State, string Nonce, string Verifier, string RedirectUri, string ReturnPath, DateTimeOffset Expires)
{
    /// <summary>How long somebody may take to prove himself to the provider.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);
}

/// <summary>A sign-on that has begun: what to keep, and where to send the browser.</summary>
public sealed record SignOnStart(SignOnAttempt Attempt, Uri Address);

/// <summary>What the provider sent back through the browser; null: not there.</summary>
/// <param name="Issuer">RFC 9207: which provider answers.</param>
public sealed record SignOnAnswer(string? State, string? Code, string? Error, string? Issuer);
