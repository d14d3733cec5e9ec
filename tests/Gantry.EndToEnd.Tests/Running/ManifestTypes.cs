namespace Gantry.EndToEnd.Tests.Running;

internal static class ManifestTypes
{
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>The Accept header of a client that understands everything.</summary>
    public const string All = $"{OciManifest}, {OciIndex}, {DockerManifest}, {DockerList}";
}
