namespace Gantry.Core.Access;

/// <summary>Where keys may be fetched from and people sent to: nobody between may put in others.</summary>
internal static class IssuerAddress
{
    /// <summary>https, or http on a loopback address; without query, fragment and user.</summary>
    public static bool IsSafe(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback))
        && url is { Query: "", Fragment: "", UserInfo: "" };
}
