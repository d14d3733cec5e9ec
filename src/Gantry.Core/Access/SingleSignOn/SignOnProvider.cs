using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Gantry.Core.Access;

/// <summary>One configured provider, and its half of the authorization code flow with PKCE.</summary>
public sealed class SignOnProvider : IDisposable
{
    private readonly SignOnProviderOptions _options;
    private readonly TimeProvider _time;
    private readonly ProviderHttp _http;
    private readonly ProviderDirectory _directory;
    private readonly IdTokens _idTokens;

    internal SignOnProvider(string name, SignOnProviderOptions options, TimeProvider time, ILogger logger)
    {
        (Name, _options, _time) = (name, options, time);
        _http = new ProviderHttp(new Uri(options.Issuer), options.CaFile);
        _directory = new ProviderDirectory(options.Issuer, _http, time, logger);
        _idTokens = new IdTokens(_directory, options.Issuer, options.ClientId, time);
    }

    public string Name { get; }

    public string DisplayName => _options.DisplayName.Length > 0 ? _options.DisplayName : Name;

    /// <summary>What to keep of a new sign-on, and where to send the browser.</summary>
    /// <exception cref="SignOnException">The provider does not answer, or not as one should.</exception>
    public async Task<SignOnStart> BeginAsync(string redirectUri, string returnPath, CancellationToken cancellationToken)
    {
        var directory = await _directory.GetAsync(cancellationToken);
        var attempt = new SignOnAttempt(
            Name, Random(), Random(), Random(), redirectUri, returnPath, _time.GetUtcNow() + SignOnAttempt.Lifetime);
        (string Key, string Value)[] query =
        [
            ("response_type", "code"), ("client_id", _options.ClientId), ("redirect_uri", redirectUri),
            ("scope", _options.Scopes), ("state", attempt.State), ("nonce", attempt.Nonce),
            ("code_challenge", Base64UrlEncoder.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(attempt.Verifier)))),
            ("code_challenge_method", "S256"),
        ];
        // The address may have a query of its own (RFC 6749, 3.1).
        var address = new UriBuilder(_http.Allowed(directory.AuthorizationEndpoint));
        var own = address.Query.TrimStart('?');
        var asked = string.Join('&', query.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}"));
        address.Query = own.Length > 0 ? $"{own}&{asked}" : asked;
        return new SignOnStart(attempt, address.Uri);
    }

    /// <summary>Whom the provider means.</summary>
    /// <exception cref="SignOnException">Nobody, or not for us.</exception>
    internal async Task<ExternalIdentity> CompleteAsync(
        SignOnAttempt attempt, SignOnAnswer answer, CancellationToken cancellationToken)
    {
        var directory = await _directory.GetAsync(cancellationToken);

        // 1. The browser comes back from where it was sent (state; RFC 9207 where the provider knows it), in time.
        if (attempt.Provider != Name || attempt.Expires <= _time.GetUtcNow() || answer.State is not { } state
            || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(state), Encoding.UTF8.GetBytes(attempt.State)))
            throw new SignOnException(SignOnFault.Request, "this sign-on was not begun here, or is too old; begin again");
        directory.AdditionalData.TryGetValue("authorization_response_iss_parameter_supported", out var namesIssuer);
        if (answer.Issuer is null ? namesIssuer is true : answer.Issuer != _options.Issuer)
            throw new SignOnException(SignOnFault.Request, "the answer is another provider's; begin again");

        // 2. It brings a code, which is redeemed for tokens.
        if (answer.Error is not null)
            throw new SignOnException(SignOnFault.Denied, $"the provider refused the sign-on: {Word(answer.Error)}");
        if (answer.Code is not { Length: > 0 and <= 4096 } code)
            throw new SignOnException(SignOnFault.Request, "the answer holds no code; begin again");
        var tokens = await RedeemAsync(directory, attempt, code, cancellationToken);

        // 3. The ID token is genuine.
        var accessToken = IdTokens.Text(tokens, "access_token");
        var idToken = IdTokens.Text(tokens, "id_token")
            ?? throw new SignOnException(SignOnFault.Answer, "the provider gave no ID token");
        var claims = await _idTokens.VerifyAsync(idToken, attempt.Nonce, accessToken, cancellationToken);
        if (IdTokens.Text(claims, "sub") is not { } subject || !ExternalProfile.IsText(subject))
            throw new SignOnException(SignOnFault.Answer, "the provider's ID token does not say whom it means");

        // 4. What it leaves out may stand in the profile.
        var profile = default(JsonElement?);
        if (accessToken is not null && directory.UserInfoEndpoint is { Length: > 0 } address
            && !(claims.TryGetProperty(_options.GroupsClaim, out _) && claims.TryGetProperty(_options.NameClaim, out _)))
            profile = await ProfileAsync(address, accessToken, subject, cancellationToken);
        return Identity(subject, claims, profile);
    }

    /// <summary>Whether somebody in these groups may sign in.</summary>
    internal bool Allows(IReadOnlyCollection<string> groups) =>
        _options.AllowedGroups.Count == 0 || groups.Any(_options.AllowedGroups.Contains);

    public void Dispose()
    {
        _directory.Dispose();
        _http.Dispose();
    }

    private async Task<JsonElement> RedeemAsync(
        OpenIdConnectConfiguration directory, SignOnAttempt attempt, string code, CancellationToken cancellationToken)
    {
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = attempt.RedirectUri,
            ["code_verifier"] = attempt.Verifier,
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, _http.Allowed(directory.TokenEndpoint));
        var ways = directory.TokenEndpointAuthMethodsSupported;
        if (_options.ClientSecret.Length == 0)
        {
            form["client_id"] = _options.ClientId;
        }
        else if (ways.Count == 0 || ways.Contains("client_secret_basic") || !ways.Contains("client_secret_post"))
        {
            var credential = Encoding.ASCII.GetBytes($"{FormEncoded(_options.ClientId)}:{FormEncoded(_options.ClientSecret)}");
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(credential));
        }
        else
        {
            (form["client_id"], form["client_secret"]) = (_options.ClientId, _options.ClientSecret);
        }

        request.Content = new FormUrlEncodedContent(form);
        var (good, body) = await _http.SendAsync(request, cancellationToken);
        if (good) return body;
        var error = Word(IdTokens.Text(body, "error") ?? "");
        throw error == "invalid_grant"
            ? new SignOnException(SignOnFault.Request, "the provider does not take the code, or not any more; begin again")
            : new SignOnException(SignOnFault.Answer, $"the provider does not give a token to this registry: {error}");
    }

    private async Task<JsonElement> ProfileAsync(
        string address, string accessToken, string subject, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _http.Allowed(address));
        // As it is: a header's parser knows less than a provider may write.
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {accessToken}");
        var (good, body) = await _http.SendAsync(request, cancellationToken);
        if (!good) throw new SignOnException(SignOnFault.Answer, "the provider refuses to show the profile");
        return IdTokens.Text(body, "sub") == subject
            ? body
            : throw new SignOnException(SignOnFault.Answer, "the provider shows somebody else's profile");
    }

    private ExternalIdentity Identity(string subject, JsonElement claims, JsonElement? profile)
    {
        var groups = Groups(claims) ?? (profile is { } shown ? Groups(shown) : null) ?? [];
        var email = Either("email");
        return new ExternalIdentity(
            Name, subject, Either(_options.NameClaim) ?? email?.Split('@')[0] ?? subject, Either("name"), email, groups,
            _options.AdministratorGroups.Count == 0 ? null : groups.Any(_options.AdministratorGroups.Contains));

        string? Either(string claim) =>
            IdTokens.Text(claims, claim) is { Length: > 0 } said ? said : profile is { } more ? IdTokens.Text(more, claim) : null;
    }

    private List<string>? Groups(JsonElement claims)
    {
        if (!claims.TryGetProperty(_options.GroupsClaim, out var claim)) return null;
        IEnumerable<JsonElement> values = claim.ValueKind == JsonValueKind.Array ? claim.EnumerateArray() : [claim];
        return [.. values.Select(IdTokens.Text).OfType<string>().Distinct(StringComparer.Ordinal)];
    }

    // 256 bits, which is what RFC 7636 wants of a verifier.
    private static string Random() => Base64UrlEncoder.Encode(RandomNumberGenerator.GetBytes(32));

    // RFC 6749, 2.3.1: the id may hold a colon.
    private static string FormEncoded(string text) => Uri.EscapeDataString(text).Replace("%20", "+", StringComparison.Ordinal);

    // An error code, and nothing that somebody put into an address to be shown here.
    private static string Word(string text) =>
        text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.')
            ? text
            : "an unknown error";
}
