namespace Gantry.Storage.S3;

/// <summary>
/// How large the parts of a multipart upload are. S3 counts to 10,000, so they grow: they double every 1,000 parts up to
/// <see cref="MaxPartMiB"/>, unless all have to be equal. A function of the part's place alone: every node cuts alike.
/// </summary>
public sealed class PartSchedule(long firstPartBytes, bool equal)
{
    public const int MaxParts = 10_000, MaxPartMiB = 64;
    private const int PartsOfOneSize = 1000;

    public static PartSchedule Of(S3Options options) => new((long)options.PartSize << 20, options.EqualParts);

    /// <summary>The longest blob that can be stored, in bytes.</summary>
    public long MaxBlobBytes { get; } = equal
        ? firstPartBytes * MaxParts
        : Enumerable.Range(0, MaxParts / PartsOfOneSize).Sum(step => Grown(firstPartBytes, step) * PartsOfOneSize);

    /// <param name="index">From 0.</param>
    public long BytesOf(int index) => equal ? firstPartBytes : Grown(firstPartBytes, index / PartsOfOneSize);

    private static long Grown(long first, int steps) => Math.Min(first << Math.Min(steps, 16), Math.Max(first, (long)MaxPartMiB << 20));
}
