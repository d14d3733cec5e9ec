using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.WebUtilities;

namespace Gantry.Server.Auth;

/// <summary>
/// A cookie that only this registry's nodes can read and make: no script sees it, no other site's form sends it, and
/// on https it never leaves it. What is in it says itself until when it holds.
/// </summary>
internal sealed class SealedCookie<T>(string name, IDataProtector protector, JsonTypeInfo<T> type) where T : class
{
    // Browsers keep 4 KiB with the name and what else stands there.
    private const int MaxLength = 3840;

    /// <summary>False: it is more than a browser keeps.</summary>
    public bool TryWrite(HttpContext context, Uri address, T value, TimeSpan lifetime)
    {
        var text = WebEncoders.Base64UrlEncode(protector.Protect(JsonSerializer.SerializeToUtf8Bytes(value, type)));
        if (text.Length > MaxLength) return false;
        context.Response.Cookies.Append(name, text, Options(address, lifetime));
        return true;
    }

    /// <summary>Null: there is none, or it is not one of ours.</summary>
    public T? Read(HttpContext context)
    {
        if (context.Request.Cookies[name] is not { Length: > 0 and <= MaxLength } text) return null;
        try
        {
            return JsonSerializer.Deserialize(protector.Unprotect(WebEncoders.Base64UrlDecode(text)), type);
        }
        catch (Exception e) when (e is FormatException or CryptographicException or JsonException)
        {
            return null;
        }
    }

    public void Delete(HttpContext context, Uri address) => context.Response.Cookies.Delete(name, Options(address, null));

    /// <param name="address">Below which the browser sends it; an address as the browser sees it.</param>
    private static CookieOptions Options(Uri address, TimeSpan? lifetime) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = address.Scheme == Uri.UriSchemeHttps,
        Path = address.AbsolutePath,
        MaxAge = lifetime,
        IsEssential = true,
    };
}
