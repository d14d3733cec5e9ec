namespace Gantry.TestKit;

/// <summary>
/// Where the servers of a test run keep their blobs: in files, or with <c>GANTRY_TEST_BACKEND=S3</c> in a real S3, each
/// <see cref="RegistryServer"/> in a bucket of its own.
/// </summary>
public static class TestBackend
{
    public static bool IsS3 { get; } = Environment.GetEnvironmentVariable("GANTRY_TEST_BACKEND") switch
    {
        null or "" or "FileSystem" => false,
        "S3" => true,
        var other => throw new InvalidOperationException($"GANTRY_TEST_BACKEND is '{other}': FileSystem and S3 are known"),
    };

    /// <summary>A bucket for one registry; null where the run is on files.</summary>
    public static async Task<S3Bucket?> CreateAsync() => IsS3 ? await S3Server.CreateBucketAsync() : null;

    /// <summary>What a server needs to know about it, <c>Section:Key=value</c>; nothing for files.</summary>
    public static IEnumerable<string> Settings(S3Bucket? bucket) => bucket?.Settings.Select(pair => $"{pair.Key}={pair.Value}") ?? [];
}
