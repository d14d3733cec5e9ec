using System.Diagnostics.CodeAnalysis;

namespace Gantry.Core.Webhooks;

/// <summary>Where deliveries go: an absolute http or https URL without credentials or fragment.</summary>
public readonly record struct WebhookUrl
{
    public const int MaxLength = 2000;

    private readonly Uri? _value;

    private WebhookUrl(Uri value) => _value = value;

    /// <summary>As the wire has it: no odd spelling of an address is left.</summary>
    public Uri Value => _value ?? throw new InvalidOperationException("a URL was never set");

    public bool IsEncrypted => Value.Scheme == Uri.UriSchemeHttps;

    /// <summary>The scheme, host and port: what a log may have of it.</summary>
    public string Origin => Value.GetLeftPart(UriPartial.Authority);

    public static bool TryParse([NotNullWhen(true)] string? text, out WebhookUrl url)
    {
        var isOne = text is { Length: > 0 and <= MaxLength } && !text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c == '\\')
            && Uri.TryCreate(text, UriKind.Absolute, out var value)
            && (value.Scheme == Uri.UriSchemeHttp || value.Scheme == Uri.UriSchemeHttps)
            && value is { UserInfo: "", Fragment: "", IdnHost.Length: > 0, Port: > 0 } && value.AbsoluteUri.Length <= MaxLength;
        url = isOne ? new WebhookUrl(new Uri(text!)) : default;
        return isOne;
    }

    /// <exception cref="FormatException">Not such a URL.</exception>
    public static WebhookUrl Parse(string text) => TryParse(text, out var url) ? url : throw new FormatException("not the URL of a webhook");

    public override string ToString() => Value.AbsoluteUri;
}
