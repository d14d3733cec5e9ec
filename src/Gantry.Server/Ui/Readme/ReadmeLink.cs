namespace Gantry.Server.Ui;

/// <summary>Where a README may lead: to the web and to mailboxes, by whole addresses. Nothing in it leads into this registry unseen.</summary>
internal static class ReadmeLink
{
    private const int Longest = 2000;

    /// <summary>As a link has it; null: it leads nowhere.</summary>
    public static string? Of(string? url)
    {
        if (url is not { Length: > 0 and <= Longest } || url.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c == '\\')) return null;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address)) return null;
        var isWeb = (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)
            && url.StartsWith(address.Scheme + "://", StringComparison.OrdinalIgnoreCase) && address is { UserInfo: "", Host.Length: > 0 };
        return isWeb || address.Scheme == Uri.UriSchemeMailto ? address.AbsoluteUri : null;
    }
}
