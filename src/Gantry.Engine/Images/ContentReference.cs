using Gantry.Oci;

namespace Gantry.Engine.Images;

/// <summary>A descriptor with what only a client needs of it (image-spec, "OCI Content Descriptors").</summary>
/// <param name="Descriptor">What is pointed at.</param>
/// <param name="Data">The content itself where the document brings it along: of the size and the digest that it says, checked. Null otherwise.</param>
/// <param name="Urls">Where else it may be had, for layers that registries do not hold. Not checked: who fetches them decides which are fit.</param>
/// <param name="OsFeatures">What an entry of an index wants the system to have.</param>
public sealed record ContentReference(
    Descriptor Descriptor,
    ReadOnlyMemory<byte>? Data,
    IReadOnlyList<string> Urls,
    IReadOnlyList<string> OsFeatures)
{
    public ContentReference(Descriptor descriptor) : this(descriptor, null, [], [])
    {
    }

    public Digest Digest => Descriptor.Digest;

    public long Size => Descriptor.Size;
}
