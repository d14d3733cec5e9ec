using System.Text;
using Gantry.Core.Access;
using Microsoft.Extensions.Primitives;

namespace Gantry.Server.Auth;

/// <summary>What an <c>Authorization</c> header holds (RFC 9110, 11.6.2; RFC 7617; RFC 6750).</summary>
internal abstract record Credential
{
    /// <summary>No header, or an empty one.</summary>
    public sealed record None : Credential;

    /// <summary>A name and a password.</summary>
    public sealed record Basic(string Name, string Password) : Credential;

    /// <summary>A token, unread.</summary>
    public sealed record Bearer(string Token) : Credential;

    /// <summary>Something else, or something broken. <paramref name="Fault"/> repeats nothing of it.</summary>
    public sealed record Unreadable(string Fault) : Credential;

    private static readonly None Nothing = new();
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // Base64 of the longest name, a colon, and the longest secret.
    private const int MaxBasicLength = (AccountName.MaxLength + 1 + Logins.MaxSecretLength) * 4 / 3 + 4;

    public static Credential Parse(StringValues header)
    {
        if (header.Count > 1) return new Unreadable("there is more than one Authorization header");
        var text = (header.Count == 0 ? null : header[0])?.Trim() ?? "";
        if (text.Length == 0) return Nothing;

        var space = text.IndexOf(' ', StringComparison.Ordinal);
        var scheme = space < 0 ? text : text[..space];
        var value = space < 0 ? "" : text[space..].Trim();
        if (scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
            return value.Length > 0 ? new Bearer(value) : new Unreadable("the bearer token is empty");
        if (scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)) return ParseBasic(value);
        return new Unreadable("its scheme is neither Bearer nor Basic");
    }

    private static Credential ParseBasic(string value)
    {
        if (value.Length > MaxBasicLength) return new Unreadable("name and password are too long");
        try
        {
            var pair = Utf8.GetString(Convert.FromBase64String(value));
            var colon = pair.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0) return new Unreadable("there is no colon between name and password");

            // Clients without an account send this instead of no header (the conformance suite's own, among others).
            return pair == ":" ? Nothing : new Basic(pair[..colon], pair[(colon + 1)..]);
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException)
        {
            return new Unreadable("its value is not base64 of UTF-8 text");
        }
    }
}
