using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Gantry.TestKit;

/// <summary>
/// A real S3: one Ceph RADOS Gateway per test process (a monitor, an object store in memory, the gateway), started at
/// the first <see cref="CreateBucketAsync"/> and killed when the process ends. Tests stay apart by their buckets. As an
/// assembly fixture it is killed after the last test: <c>[assembly: AssemblyFixture(typeof(S3Server))]</c>.
/// </summary>
/// <remarks>
/// What it holds is thrown away, so nothing is ended in an orderly way. A test process that was killed leaves its three
/// behind; the next one on the machine finds their folder without an owner, kills them and removes it.
/// </remarks>
public sealed partial class S3Server : IAsyncDisposable
{
    public const string Region = "us-east-1";

    /// <summary>That it may encrypt with.</summary>
    public const string KmsKey = "gantry-test";

    /// <summary>Parts but the last must have so many bytes; the default, 5 MiB, would make every test of parts a slow one.</summary>
    public const int MinPartBytes = 64 * 1024;

    private const string FolderPrefix = "gantry-test-s3-";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly Lazy<Task<S3Server>> Shared = new(StartAsync, LazyThreadSafetyMode.ExecutionAndPublication);

    private readonly string _folder;
    private readonly List<Process> _daemons = [];
    private int _ended;

    public S3Server() : this("")
    {
    }

    private S3Server(string folder) => _folder = folder;

    private Uri Endpoint { get; init; } = null!;

    private Uri TlsEndpoint { get; init; } = null!;

    private string AuthorityFile { get; init; } = "";

    private string AccessKey { get; } = Convert.ToHexString(RandomNumberGenerator.GetBytes(10));

    private string SecretKey { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));

    /// <summary>An empty bucket of the caller's own.</summary>
    public static async Task<S3Bucket> CreateBucketAsync()
    {
        var server = await Shared.Value;
        var bucket = new S3Bucket(
            server.Endpoint, server.TlsEndpoint, server.AuthorityFile, $"test-{Guid.NewGuid():N}", server.AccessKey, server.SecretKey);
        using var client = bucket.Connect();
        await client.PutBucketAsync(bucket.Name);
        return bucket;
    }

    public async ValueTask DisposeAsync()
    {
        if (_folder.Length > 0) Stop();
        else if (Shared.IsValueCreated) (await Shared.Value).Stop();
    }

    private static async Task<S3Server> StartAsync()
    {
        foreach (var abandoned in Directory.GetDirectories(Path.GetTempPath(), FolderPrefix + "*")) Sweep(abandoned);
        RequirePrograms();

        var folder = Path.Combine(Path.GetTempPath(), $"{FolderPrefix}{Environment.ProcessId}-{Guid.NewGuid():N}"[..40]);
        Directory.CreateDirectory(folder);
        var authority = new TestAuthority(folder, "ca");
        var (monitor, plain, tls) = FreePorts();
        var server = new S3Server(folder)
        {
            Endpoint = new Uri($"http://127.0.0.1:{plain}"),
            TlsEndpoint = new Uri($"https://127.0.0.1:{tls}"),
            AuthorityFile = authority.File,
        };
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.Stop();
        try
        {
            await server.RunAsync(monitor, authority.Issue("gateway"));
            return server;
        }
        catch (Exception fault)
        {
            var logs = string.Join('\n', Directory.GetFiles(folder, "*.log").SelectMany(log => File.ReadLines(log).TakeLast(5)));
            server.Stop();
            throw new InvalidOperationException($"no S3 for the tests: {fault.Message}\n{logs}", fault);
        }
    }

    private void Stop()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0) return;
        lock (_daemons)
        {
            foreach (var daemon in _daemons)
            {
                daemon.Kill();
                daemon.WaitForExit(Patience);
                daemon.Dispose();
            }
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Removes what a killed test process left: its daemons are known by the folder in their command line.</summary>
    private static void Sweep(string folder)
    {
        var owner = Path.GetFileName(folder)[FolderPrefix.Length..].Split('-')[0];
        if (Directory.Exists($"/proc/{owner}")) return;
        try
        {
            foreach (var process in Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)))
            {
                if (CommandLine(process!).Contains(Path.Combine(folder, "ceph.conf")))
                    _ = ServerProcess.Kill(int.Parse(process!, null), ServerProcess.SigKill);
            }

            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Debug.WriteLine($"{folder} stays: {e.Message}");
        }
    }

    private static string[] CommandLine(string process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").Split('\0');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // it ended meanwhile, or is another user's
        }
    }

    private static (int Monitor, int Plain, int Tls) FreePorts()
    {
        // Held together, so that they differ.
        using TcpListener first = new(IPAddress.Loopback, 0), second = new(IPAddress.Loopback, 0), third = new(IPAddress.Loopback, 0);
        return (PortOf(first), PortOf(second), PortOf(third));

        static int PortOf(TcpListener listener)
        {
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
    }
}

/// <summary>A bucket, and who may use it.</summary>
public sealed record S3Bucket(Uri Endpoint, Uri TlsEndpoint, string AuthorityFile, string Name, string AccessKey, string SecretKey)
{
    /// <summary>What a server needs to know to keep its blobs here.</summary>
    public Dictionary<string, string> Settings => new()
    {
        ["Storage:Backend"] = "S3", ["Storage:S3:Endpoint"] = Endpoint.OriginalString, ["Storage:S3:Bucket"] = Name,
        ["Storage:S3:Region"] = S3Server.Region, ["Storage:S3:AccessKey"] = AccessKey, ["Storage:S3:SecretKey"] = SecretKey,
        ["Storage:S3:ForcePathStyle"] = "true",
    };

    /// <summary>The SDK's own client, for a test's own questions.</summary>
    public AmazonS3Client Connect() => new(new BasicAWSCredentials(AccessKey, SecretKey), new AmazonS3Config
    {
        ServiceURL = Endpoint.OriginalString,
        AuthenticationRegion = S3Server.Region,
        ForcePathStyle = true,
        RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
        ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
    });

    /// <summary>Every key in it, with its size.</summary>
    public async Task<SortedDictionary<string, long>> ListAsync(string prefix = "")
    {
        SortedDictionary<string, long> found = new(StringComparer.Ordinal);
        using var client = Connect();
        await foreach (var item in client.Paginators.ListObjectsV2(new() { BucketName = Name, Prefix = prefix }).S3Objects)
            found.Add(item.Key, item.Size ?? 0);
        return found;
    }

    /// <summary>How many bytes it holds of the session's upload, committed ones aside.</summary>
    public async Task<long> StagedBytesAsync(Guid sessionId)
    {
        var id = sessionId.ToString("N");
        var total = (await ListAsync($"uploads/{id[^2..]}/{id}/")).Values.Sum();
        using var client = Connect();
        var running = await client.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = Name, Prefix = $"blobs/{id[^2..]}/{id}-" });
        foreach (var upload in running.MultipartUploads ?? [])
        {
            await foreach (var part in client.Paginators.ListParts(new() { BucketName = Name, Key = upload.Key, UploadId = upload.UploadId }).Parts)
                total += part.Size ?? 0;
        }

        return total;
    }
}
