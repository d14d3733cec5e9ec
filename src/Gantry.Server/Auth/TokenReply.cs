using System.Text.Json.Serialization;
using Gantry.Core.Access;
using Gantry.Oci;

namespace Gantry.Server.Auth;

/// <summary>
/// A granted token. Both names of it are there, because clients differ; without <c>expires_in</c> containerd would keep
/// it for ever.
/// </summary>
internal sealed record TokenReply(
    [property: JsonPropertyName("token")] string Token,
    [property: JsonPropertyName("access_token")] string AccessToken,
    [property: JsonPropertyName("expires_in")] int ExpiresIn,
    [property: JsonPropertyName("issued_at")] string IssuedAt,
    [property: JsonPropertyName("refresh_token"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    string? RefreshToken)
{
    [JsonPropertyName("token_type")] public string TokenType => "Bearer";

    /// <summary>Of a token exchange alone (RFC 8693, 2.2.1), as is <see cref="Scope"/>.</summary>
    [JsonPropertyName("issued_token_type"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? IssuedTokenType { get; init; }

    /// <summary>What was granted, where it may be less than was asked.</summary>
    [JsonPropertyName("scope"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Scope { get; init; }

    public static TokenReply Of(SignedToken token, string? refreshToken) =>
        new(
            // A login that ends within the clocks' skew gives a token that has ended too: not a negative number of seconds.
            token.Text, token.Text, Math.Max(0, (int)token.Lifetime.TotalSeconds),
            token.Issued.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"), refreshToken);
}

/// <summary>
/// A refusal, in two languages at once: docker and containers/image show <c>errors</c> (the OCI envelope), OAuth2
/// clients read <c>error</c> (RFC 6749, 5.2).
/// </summary>
internal sealed record TokenRefusal(
    [property: JsonPropertyName("error")] string Error,
    [property: JsonPropertyName("error_description")] string Description,
    [property: JsonPropertyName("errors")] IReadOnlyList<TokenRefusal.Entry> Errors)
{
    internal sealed record Entry(
        [property: JsonPropertyName("code")] string Code,
        [property: JsonPropertyName("message")] string Message,
        [property: JsonPropertyName("detail")] string Detail);

    // Docker shows a message that is its code's usual one only where there is a detail too.
    public static TokenRefusal Of(string error, string wireCode, string message, string requestId) =>
        new(error, message, [new Entry(wireCode, message, $"{error} (request {requestId})")]);
}

[JsonSerializable(typeof(TokenReply))]
[JsonSerializable(typeof(TokenRefusal))]
[JsonSerializable(typeof(KeySetReply))]
[JsonSerializable(typeof(Session))]
[JsonSerializable(typeof(SessionForm))]
[JsonSerializable(typeof(SessionReply))]
[JsonSerializable(typeof(SignOnAttempt))]
[JsonSerializable(typeof(IReadOnlyList<SignOnChoice>))]
internal sealed partial class AuthJson : JsonSerializerContext;

/// <summary>A JSON Web Key Set (RFC 7517).</summary>
internal sealed record KeySetReply([property: JsonPropertyName("keys")] IReadOnlyList<PublicKey> Keys);
