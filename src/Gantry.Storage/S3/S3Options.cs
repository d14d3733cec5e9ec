namespace Gantry.Storage.S3;

/// <summary>The S3 backend's settings (<c>Storage:S3</c>), judged only where it is the backend.</summary>
public sealed class S3Options
{
    /// <summary>Smaller parts than this, but the last, S3 does not take.</summary>
    public const int MinPartSize = 5;

    /// <summary>Where the store answers, <c>https://host[:port]</c>; empty: AWS, in <see cref="Region"/>.</summary>
    public string Endpoint { get; set; } = "";

    /// <summary>Names AWS's endpoint, and is signed into every request. Others take any; R2 wants <c>auto</c>.</summary>
    public string Region { get; set; } = "us-east-1";

    /// <summary>Exists already; its name is never made up.</summary>
    public string Bucket { get; set; } = "";

    /// <summary>Put before every key, so that several registries may share a bucket; ends in <c>/</c> or is empty.</summary>
    public string Prefix { get; set; } = "";

    /// <summary>
    /// Empty, with <see cref="SecretKey"/>: the SDK's own chain (environment, web identity, container and instance roles).
    /// </summary>
    public string AccessKey { get; set; } = "";

    public string SecretKey { get; set; } = "";

    /// <summary>The bucket in the path instead of in the host's name: Ceph and MinIO without wildcard names want it.</summary>
    public bool ForcePathStyle { get; set; }

    /// <summary>PEM certificates that alone vouch for an https endpoint; empty: the machine's.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>Whether clients fetch blobs from the store itself.</summary>
    public bool Redirect { get; set; }

    /// <summary>
    /// Addresses or networks (<c>10.0.0.0/8</c>) of the clients that do; empty: all. A client's address is what a trusted
    /// proxy says it is.
    /// </summary>
    public IList<string> RedirectNetworks { get; init; } = [];

    /// <summary>Those that do not, because they cannot reach the store; these win.</summary>
    public IList<string> NoRedirectNetworks { get; init; } = [];

    /// <summary>The store as clients reach it, where that is not <see cref="Endpoint"/>; presigned URLs name it.</summary>
    public string PublicEndpoint { get; set; } = "";

    /// <summary>How long a presigned URL may be begun with; a minute to a day. It has to outlast a client's
    /// queue, and to end before <c>Gc:ByteDelay</c> does.</summary>
    public TimeSpan RedirectLifetime { get; set; } = TimeSpan.FromMinutes(20);

    /// <summary><c>None</c> (the bucket's own default), <c>AES256</c> or <c>aws:kms</c>.</summary>
    public string ServerSideEncryption { get; set; } = "None";

    /// <summary>For <c>aws:kms</c>; empty: the account's own key.</summary>
    public string KmsKeyId { get; set; } = "";

    /// <summary>
    /// In MiB, a power of two. A blob has at most 10,000 parts; unless <see cref="EqualParts"/> they double every 1,000 up
    /// to 64 MiB (the README names the limits that follow).
    /// </summary>
    public int PartSize { get; set; } = 8;

    /// <summary>Every part but the last of one size: R2 takes no others.</summary>
    public bool EqualParts { get; set; }

    /// <summary>
    /// In MiB. Every upload has memory for one part; with what this budget has left, all uploads together, parts are sent
    /// while the next ones fill.
    /// </summary>
    public int BufferBudget { get; set; } = 32;

    /// <summary>CRC32 with every request, as AWS and recent others know it. Older stores refuse it or answer wrongly.</summary>
    public bool Checksums { get; set; }

    /// <summary>How often a request is tried again, with growing pauses, after 5xx, SlowDown, a timeout or a cut connection.</summary>
    public int Retries { get; set; } = 5;

    /// <summary>For one attempt, its body included; a download only until its first byte, then between any two.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>To the store at once; what comes on top waits.</summary>
    public int MaxConnections { get; set; } = 256;
}
