using System.Diagnostics;
using Amazon.S3;
using Amazon.S3.Model;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Benchmarks;

/// <summary>Push and pull through a registry that keeps its blobs in S3, against the SDK's own multipart upload and get there.</summary>
internal static class S3Run
{
    public static async Task RunAsync(RunSettings run)
    {
        var mib = Math.Max(1, (int)(run.Mib * run.Fraction));
        await using var store = new S3Server(); // ends what the first bucket starts
        var bucket = await S3Server.CreateBucketAsync();
        await using var gantry = await RegistryProcess.StartGantryAsync(run.Root.CreateSubdirectory("gantry").FullName,
            settings: [.. bucket.Settings.Select(setting => $"{setting.Key}={setting.Value}"), "Gc:Enabled=false"]);
        using var client = bucket.Connect();
        var comparison = new Comparison<RegistryProcess?>("registry on S3", gantry, "bare SDK", null, run.Pairs);
        var file = Path.Combine(run.Root.FullName, "layer");
        var digest = default(Digest);

        await comparison.MeasureAsync($"push {mib} MiB",
            registry => registry is null ? PushAsync(client, bucket.Name, file) : Measures.PushAsync(registry, file, digest),
            async () =>
            {
                // The store is in memory: what earlier pairs left has to go.
                await foreach (var old in client.Paginators.ListObjectsV2(new ListObjectsV2Request { BucketName = bucket.Name }).S3Objects)
                    await client.DeleteObjectAsync(bucket.Name, old.Key);
                digest = await Runs.NewLayerAsync(file, mib);
            });
        await comparison.MeasureAsync($"pull {mib} MiB",
            registry => registry is null ? PullAsync(client, bucket.Name) : Measures.PullAsync(registry, digest));
        comparison.Print();
        Console.WriteLine($"resident at the end: {gantry.ResidentMib()} MiB");
    }

    /// <summary>Parts of 8 MiB, four at once: what the registry does when nobody else uploads. MiB a second.</summary>
    private static async Task<double> PushAsync(IAmazonS3 client, string bucket, string file)
    {
        const long Part = 8 << 20;
        var clock = Stopwatch.StartNew();
        var length = new FileInfo(file).Length;
        var upload = await client.InitiateMultipartUploadAsync(bucket, "bare");
        var tags = new PartETag[(length + Part - 1) / Part];
        await Parallel.ForAsync(0, tags.Length, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (index, token) =>
        {
            var reply = await client.UploadPartAsync(new UploadPartRequest
            {
                BucketName = bucket, Key = "bare", UploadId = upload.UploadId, PartNumber = index + 1,
                FilePath = file, FilePosition = index * Part, PartSize = Math.Min(Part, length - index * Part),
            }, token);
            tags[index] = new PartETag(index + 1, reply.ETag);
        });
        await client.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest
        {
            BucketName = bucket, Key = "bare", UploadId = upload.UploadId, PartETags = [.. tags],
        });
        return length / 1048576.0 / clock.Elapsed.TotalSeconds;
    }

    private static async Task<double> PullAsync(IAmazonS3 client, string bucket)
    {
        var clock = Stopwatch.StartNew();
        using var reply = await client.GetObjectAsync(bucket, "bare");
        await reply.ResponseStream.CopyToAsync(Stream.Null, 256 * 1024);
        return reply.ContentLength / 1048576.0 / clock.Elapsed.TotalSeconds;
    }
}
