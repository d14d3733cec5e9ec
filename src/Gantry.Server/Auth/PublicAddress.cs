using Microsoft.Extensions.Options;

namespace Gantry.Server.Auth;

/// <summary>
/// This registry's addresses as the client must see them: same scheme and host as its request, or the public ones;
/// clients refuse to send a password to another host.
/// </summary>
public sealed class PublicAddress(IOptions<ServerOptions> options)
{
    public const string TokenPath = "/token";

    public string TokenUrl(HttpContext context) => UrlOf(context, TokenPath);

    /// <param name="path">Begins with a slash, and is written as in a URL.</param>
    public string UrlOf(HttpContext context, string path)
    {
        if (options.Value.PublicUrl.Length > 0)
            return new Uri(options.Value.PublicUrl).AbsoluteUri.TrimEnd('/') + path;

        var request = context.Request;
        // HTTP/1.0 clients may send no Host: then it is the address they have connected to.
        var host = request.Host.HasValue
            ? request.Host.ToUriComponent()
            : new HostString($"{context.Connection.LocalIpAddress}", context.Connection.LocalPort).ToUriComponent();
        return $"{request.Scheme}://{host}{request.PathBase.ToUriComponent()}{path}";
    }
}
