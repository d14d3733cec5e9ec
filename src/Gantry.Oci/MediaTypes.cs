namespace Gantry.Oci;

/// <summary>Media types that change how a document is read. Every other type is carried, not interpreted.</summary>
public static class MediaTypes
{
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";
    public const string OciEmpty = "application/vnd.oci.empty.v1+json";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";
    public const string DockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json";
    public const string DockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";

    public static bool IsManifest(string type) => type is OciManifest or DockerManifest;

    public static bool IsIndex(string type) => type is OciIndex or DockerManifestList;

    /// <summary>
    /// Layers that a client fetches from elsewhere and a registry need not hold (image-spec, "Non-Distributable
    /// Layers"; Docker's "foreign" layers).
    /// </summary>
    public static bool IsNonDistributable(string type) =>
        type.StartsWith("application/vnd.oci.image.layer.nondistributable.", StringComparison.Ordinal)
        || type.StartsWith("application/vnd.docker.image.rootfs.foreign.", StringComparison.Ordinal);
}
