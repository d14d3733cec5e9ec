using System.ComponentModel.DataAnnotations;
using System.Net;
using Gantry.Core;

namespace Gantry.Server;

/// <summary>Section <c>Server</c>.</summary>
public sealed class ServerOptions : IValidatableObject
{
    /// <summary>
    /// How clients reach this registry, <c>https://registry.example.com</c>; used where an absolute URL is needed, the
    /// token endpoint's. Empty: what each request says (its Host, and X-Forwarded-* from trusted proxies).
    /// </summary>
    public string PublicUrl { get; set; } = "";

    /// <summary>
    /// Addresses or networks (<c>10.0.0.0/8</c>) of reverse proxies whose <c>X-Forwarded-For</c>, <c>-Proto</c> and
    /// <c>-Host</c> count. Empty: nobody's do.
    /// </summary>
    public IList<string> TrustedProxies { get; init; } = [];

    /// <summary>How long a stop waits for running transfers. 0 seconds to 1 hour.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A text that clients show to their users with every answer (<c>Warning</c>, distribution-spec, at most 4,096 bytes
    /// with its frame). At most 4,000 printable ASCII characters, quotes and backslashes counting twice; empty: none.
    /// </summary>
    public string Warning { get; set; } = "";

    internal IEnumerable<IPNetwork> Proxies => TrustedProxies.Select(text => NetworkList.Parse(text)!.Value);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (PublicUrl.Length > 0 && !IsPublicUrl(PublicUrl))
            yield return new ValidationResult($"Server:PublicUrl '{PublicUrl}' is not an http or https URL in ASCII, without query");
        foreach (var proxy in TrustedProxies.Where(proxy => NetworkList.Parse(proxy) is null))
            yield return new ValidationResult($"Server:TrustedProxies: '{proxy}' is neither an address nor a network");
        if (ShutdownTimeout < TimeSpan.Zero || ShutdownTimeout > TimeSpan.FromHours(1))
            yield return new ValidationResult("Server:ShutdownTimeout must be from 00:00:00 to 01:00:00");
        if (Warning.Length + Warning.Count(c => c is '"' or '\\') > 4000 || Warning.Any(c => c is < ' ' or > '~'))
        {
            yield return new ValidationResult(
                "Server:Warning must be at most 4000 printable ASCII characters; \" and \\ count twice");
        }
    }

    private static bool IsPublicUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
        && text.All(char.IsAscii) && url is { Query: "", Fragment: "", UserInfo: "" };
}
