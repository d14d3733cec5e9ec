using Microsoft.Extensions.Options;

namespace Gantry.Server.Auth;

/// <summary>Section <c>Server</c>: how clients reach this registry.</summary>
public sealed class PublicAddressOptions
{
    public const string Section = "Server";

    /// <summary>
    /// The absolute http or https URL that clients use, without query; empty: what each request says (its Host header,
    /// and X-Forwarded-* from configured proxies). Behind a proxy that changes the host it must be set.
    /// </summary>
    public string PublicUrl { get; set; } = "";
}

internal sealed class PublicAddressFaults : IValidateOptions<PublicAddressOptions>
{
    public ValidateOptionsResult Validate(string? name, PublicAddressOptions options) =>
        options.PublicUrl.Length == 0
        || (Uri.TryCreate(options.PublicUrl, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            && options.PublicUrl.All(char.IsAscii) && url.Query.Length == 0 && url.Fragment.Length == 0 && url.UserInfo.Length == 0)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail("Server:PublicUrl must be an absolute http:// or https:// URL, in ASCII without query, or empty.");
}

/// <summary>
/// The URL of the token endpoint as the client must see it: same scheme and host as its request, or the public ones;
/// clients refuse to send a password to another host.
/// </summary>
public sealed class PublicAddress(IOptions<PublicAddressOptions> options)
{
    public const string TokenPath = "/token";

    public string TokenUrl(HttpContext context)
    {
        if (options.Value.PublicUrl.Length > 0)
            return new Uri(options.Value.PublicUrl).AbsoluteUri.TrimEnd('/') + TokenPath;

        var request = context.Request;
        // HTTP/1.0 clients may send no Host: then it is the address they have connected to.
        var host = request.Host.HasValue
            ? request.Host.ToUriComponent()
            : new HostString($"{context.Connection.LocalIpAddress}", context.Connection.LocalPort).ToUriComponent();
        return $"{request.Scheme}://{host}{request.PathBase.ToUriComponent()}{TokenPath}";
    }
}
