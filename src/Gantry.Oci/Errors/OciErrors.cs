namespace Gantry.Oci;

/// <summary>How one error code is shown: its name on the wire, its usual HTTP status, its text.</summary>
public sealed record OciErrorText(string Wire, int Status, string Message);

/// <summary>The one table that gives each error code its status and text.</summary>
public static class OciErrors
{
    private static readonly Dictionary<OciErrorCode, OciErrorText> Table = new()
    {
        [OciErrorCode.BlobUnknown] = new("BLOB_UNKNOWN", 404, "blob unknown to registry"),
        [OciErrorCode.BlobUploadInvalid] = new("BLOB_UPLOAD_INVALID", 400, "blob upload invalid"),
        [OciErrorCode.BlobUploadUnknown] = new("BLOB_UPLOAD_UNKNOWN", 404, "blob upload unknown to registry"),
        [OciErrorCode.DigestInvalid] = new("DIGEST_INVALID", 400, "provided digest did not match uploaded content"),
        [OciErrorCode.ManifestBlobUnknown] =
            new("MANIFEST_BLOB_UNKNOWN", 404, "manifest references a manifest or blob unknown to registry"),
        [OciErrorCode.ManifestInvalid] = new("MANIFEST_INVALID", 400, "manifest invalid"),
        [OciErrorCode.ManifestUnknown] = new("MANIFEST_UNKNOWN", 404, "manifest unknown to registry"),
        [OciErrorCode.NameInvalid] = new("NAME_INVALID", 400, "invalid repository name"),
        [OciErrorCode.NameUnknown] = new("NAME_UNKNOWN", 404, "repository name not known to registry"),
        [OciErrorCode.SizeInvalid] = new("SIZE_INVALID", 400, "provided length did not match content length"),
        [OciErrorCode.Unauthorized] = new("UNAUTHORIZED", 401, "authentication required"),
        [OciErrorCode.Denied] = new("DENIED", 403, "requested access to the resource is denied"),
        [OciErrorCode.Unsupported] = new("UNSUPPORTED", 405, "the operation is unsupported"),
        [OciErrorCode.TooManyRequests] = new("TOOMANYREQUESTS", 429, "too many requests"),
        [OciErrorCode.TagInvalid] = new("TAG_INVALID", 400, "invalid tag"),
        [OciErrorCode.Unknown] = new("UNKNOWN", 500, "unknown error"),
        [OciErrorCode.Unavailable] = new("UNAVAILABLE", 503, "service unavailable"),
    };

    public static OciErrorText Text(this OciErrorCode code) => Table[code];
}
