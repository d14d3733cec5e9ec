namespace Gantry.Oci.Serialization;

internal static class ManifestReader
{
    public static ManifestDocument Read(ReadOnlyMemory<byte> content, string? contentType) =>
        throw new NotSupportedException();
}
