namespace Gantry.Storage;

/// <summary>
/// Where a blob's bytes lie, as the blob row keeps it. Made from the id of the upload session that wrote it and never
/// used again, so deleting old bytes can never hit a newer push of the same digest.
/// </summary>
/// <param name="Value">A relative path or object key; opaque to everyone but the store.</param>
public readonly record struct BlobLocation(string Value)
{
    public override string ToString() => Value;
}
