namespace Gantry.Oci;

/// <summary>
/// The error codes of distribution-spec, "Error Codes", a closed list; below the line the three that Docker's registry
/// added for what the spec has no word for, and that clients know.
/// </summary>
public enum OciErrorCode
{
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    Unauthorized,
    Denied,
    Unsupported,
    TooManyRequests,

    // ----
    TagInvalid,
    Unknown,
    Unavailable,
}
