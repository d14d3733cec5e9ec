using Gantry.Core.Access;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Gantry.Server.Auth;

/// <summary>
/// The form of a POST to the token endpoint (Docker's OAuth2 token specification; RFC 6749, 4.3 and
/// 6).
/// </summary>
internal sealed record TokenForm(IFormCollection Fields)
{
    // A refresh token of 1 KiB and some scopes; far below what would be worth sending to hurt.
    private const long MaxBytes = 64 * 1024;
    private const int MaxFields = 64;

    public string GrantType => Fields["grant_type"].ToString();

    public bool Offline => Fields["access_type"] == "offline";

    public ScopeRequest? Scopes => ScopeRequest.Parse(Fields["scope"]);

    /// <summary>Null: not a form, too big, or broken; the answer to each is <c>invalid_request</c>.</summary>
    public static async Task<TokenForm?> ReadAsync(HttpContext context)
    {
        var request = context.Request;
        if (!IsForm(request.ContentType) || request.ContentLength > MaxBytes) return null;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = MaxBytes;
        try
        {
            using var reader = new FormReader(request.Body)
            {
                ValueCountLimit = MaxFields,
                KeyLengthLimit = 256,
                ValueLengthLimit = (int)MaxBytes,
            };
            return new TokenForm(new FormCollection(await reader.ReadFormAsync(context.RequestAborted)));
        }
        catch (Exception e) when (e is InvalidDataException or BadHttpRequestException)
        {
            return null;
        }
    }

    private static bool IsForm(string? contentType) =>
        contentType?.Split(';')[0].Trim().Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase)
        ?? false;
}
