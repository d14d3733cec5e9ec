using Gantry.Engine.Remote;
using Gantry.Oci;

namespace Gantry.Engine.Credentials;

/// <summary>The many ways in which files name one registry.</summary>
internal static class CredentialKeys
{
    /// <summary>What docker writes for its own registry, to this day.</summary>
    public const string LegacyDockerHub = "https://index.docker.io/v1/";

    /// <summary>What a credential helper, and docker's file, call this host.</summary>
    public static string DockerName(string host) => host == ImageName.DockerHub ? LegacyDockerHub : host;

    /// <summary>Keys that hold for this place, the narrowest first: <c>host/team/app</c>, <c>host/team</c>, <c>host</c>.</summary>
    public static IEnumerable<string> For(string host, RepositoryName? repository)
    {
        var key = repository is { } name ? $"{host}/{name}" : host;
        while (true)
        {
            yield return key;
            if (key.Length == host.Length) yield break;
            key = key[..key.LastIndexOf('/')];
        }
    }

    /// <summary>
    /// A file's key as <see cref="For"/> has it: lower-case host, docker.io under its one name. A key with a scheme is a whole registry's,
    /// whatever path it has (<c>https://ghcr.io/v2/</c>); one without may go on with a part of the registry.
    /// </summary>
    public static string Normal(string key)
    {
        var isAddress = key.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || key.StartsWith("http://", StringComparison.OrdinalIgnoreCase);
        var rest = (isAddress ? key[(key.IndexOf("//", StringComparison.Ordinal) + 2)..] : key).TrimEnd('/');
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var path = slash < 0 || isAddress ? "" : rest[slash..];
        return (ImageName.TryParseHost(slash < 0 ? rest : rest[..slash], out var host) ? host : rest.ToLowerInvariant()) + path;
    }
}
