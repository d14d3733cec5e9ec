using Gantry.Engine.Remote.Access;

namespace Gantry.Engine.Remote.Transport;

/// <summary>Where a redirect may lead: a web address without a user in it, never from TLS to none. What it resolves to is the dialer's to judge.</summary>
internal static class Redirects
{
    public const int MaxHops = 10;

    public static bool Is(HttpResponseMessage response) => (int)response.StatusCode is 301 or 302 or 303 or 307 or 308;

    /// <exception cref="EngineException"><see cref="EngineFault.Refused"/>; the target is shown without its query, which may be a signature.</exception>
    public static Uri Next(Uri from, HttpResponseMessage response)
    {
        var location = response.Headers.NonValidated.TryGetValues("Location", out var values) ? values.FirstOrDefault() : null;
        if (!Uri.TryCreate(from, location, out var next) || next.Scheme is not ("http" or "https"))
            throw new EngineException(EngineFault.Refused, $"{RemoteText.Shown(from.Authority)} redirects to nowhere");

        EngineException Refuse(string why) => new(EngineFault.Refused, $"{RemoteText.Shown(from.Authority)} redirects to {RemoteText.Shown(next)}, {why}");
        if (next.UserInfo.Length > 0) throw Refuse("with a user in it");
        if (from.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps) throw Refuse("which is without TLS");
        return next;
    }

    /// <summary>A host that is an address is judged before it is dialled: behind a proxy the dialer would see the proxy alone.</summary>
    public static void CheckLiteral(Uri target, Reach allowed, string whoSends)
    {
        if (AddressReach.OfLiteral(target) is { } reach && reach != Reach.Public && reach > allowed)
            throw new EngineException(EngineFault.Refused, $"{whoSends} sends us to {RemoteText.Shown(target)}, an address of this machine, of a private network or of none");
    }
}
