using Gantry.Engine.Remote.Transport;

namespace Gantry.Engine.Remote.Access;

/// <summary>
/// Where a registry says that tokens are made. It is asked with our password, so what may stand there is narrow: the registry itself
/// (same scheme, host and port), or another host over HTTPS whose address is no nearer than the registry's.
/// </summary>
internal static class Realm
{
    /// <exception cref="EngineException"><see cref="EngineFault.Refused"/> names the registry and the reason; nothing was sent.</exception>
    public static Uri Check(string host, Uri registry, string? realm, Reach registryReach)
    {
        EngineException Refuse(string why) => new(EngineFault.Refused,
            $"{host} wants its tokens fetched from '{RemoteText.Shown(WithoutSecrets(realm), 200)}', {why}; nothing was sent there");

        if (!Uri.TryCreate(realm, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")) throw Refuse("which is no address of a token service");
        if (uri.UserInfo.Length > 0) throw Refuse("which has a user in it");
        if (IsSameOrigin(uri, registry)) return uri;
        if (uri.Scheme != Uri.UriSchemeHttps) throw Refuse("another place than its own without TLS");
        if (AddressReach.OfLiteral(uri) is { } reach && reach != Reach.Public && reach > registryReach) throw Refuse("an address of this machine, of a private network or of none");
        return uri;
    }

    public static bool IsSameOrigin(Uri one, Uri other) =>
        one.Scheme == other.Scheme && one.Port == other.Port && string.Equals(one.IdnHost, other.IdnHost, StringComparison.OrdinalIgnoreCase);

    private static string WithoutSecrets(string? realm) =>
        Uri.TryCreate(realm, UriKind.Absolute, out var uri) ? uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) : realm?.Split('@')[^1].Split('?')[0] ?? "";
}
