using System.Diagnostics;
using System.Globalization;
using System.Net;
using Gantry.TestKit;
using static Gantry.Server.Tests.V2.UploadSteps;

namespace Gantry.Server.Tests.V2;

/// <summary>What uploads cost in memory. Nothing runs beside: the process, and the machine, are what is measured.</summary>
[Collection(nameof(Alone))]
[Trait("Protocol", "D2.31")]
[Trait("Speed", "Slow")]
public sealed class UploadsMemoryTests(ITestOutputHelper output)
{
    private const long MiB = 1024 * 1024;

    /// <summary>
    /// Measured: the resident memory of this process (managed, native, mapped code), server and client in one, sampled
    /// while the body is sent; not its page cache, which the kernel takes back at will.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Upload_Of1GiB_KeepsTheProcessFlat(bool chunked)
    {
        await using var server = await RegistryServer.StartAsync();
        using var client = server.Client();
        client.Timeout = TimeSpan.FromMinutes(10);
        await UploadAsync(client, seed: 1, mebibytes: 16, chunked);
        var before = Resident();

        using var done = new CancellationTokenSource();
        var sampling = PeakAsync(done.Token);
        await UploadAsync(client, seed: 2, mebibytes: 1024, chunked);
        await done.CancelAsync();
        var grown = Math.Max(await sampling, Resident()) - before;

        output.WriteLine($"{before / MiB} MiB before, {grown / MiB} MiB more at most");
        Assert.True(grown < 64 * MiB, $"memory grew by {grown / MiB} MiB");
    }

    /// <summary>
    /// Measured: a <c>gantry-server</c> process of its own from its start to the last answer, the most it ever had
    /// resident: managed heaps, native memory, stacks and compiled code, without the mapped files of .NET (about 78 MiB
    /// that the kernel shares and drops at will). Its database is another process and not in it.
    /// </summary>
    [Fact]
    public async Task SixteenUploadsOf256MiB_StayUnderTheirLimitInAll()
    {
        await using var database = await TestDatabase.CreateAsync();
        var folder = Directory.CreateTempSubdirectory("gantry-test-");
        try
        {
            var bucket = await TestBackend.CreateAsync();
            await using var server = ServerProcess.Launch(folder.FullName,
            [
                "serve", .. TestBackend.Settings(bucket).Select(setting => $"--{setting}"),
                "--urls=http://127.0.0.1:0", $"--Data:Root={folder.FullName}", $"--ConnectionStrings:Registry={database.ConnectionString}",
                $"--Access:AdminPassword={RegistryServer.Password}",
            ]);
            using var client = new HttpClient { BaseAddress = await server.ListeningAsync(), Timeout = TimeSpan.FromMinutes(10) };
            client.DefaultRequestHeaders.Authorization = RegistryServer.Basic("admin", RegistryServer.Password);
            var atRest = Peak(server.Id);

            // Half of them with a length, half in chunks of HTTP without one.
            await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => UploadAsync(client, i, 256, chunked: i % 2 == 0))));

            output.WriteLine($"{atRest / MiB} MiB at rest, {Peak(server.Id) / MiB} MiB at most");
            Assert.True(Peak(server.Id) < (bucket is null ? 200 : 400) * MiB, $"the server had {Peak(server.Id) / MiB} MiB, {atRest / MiB} MiB at rest");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task UploadAsync(HttpClient client, int seed, int mebibytes, bool chunked)
    {
        var body = new PseudoRandomBody(seed, mebibytes);
        var upload = await client.StartUploadAsync("a/b");
        using var request = new HttpRequestMessage(HttpMethod.Patch, upload) { Content = body };
        request.Headers.TransferEncodingChunked = chunked;
        using var patch = await client.SendAsync(request);
        Assert.Equal((HttpStatusCode.Accepted, $"0-{body.Length - 1}"), (patch.StatusCode, patch.Header("Range")));
        using var put = await client.CloseAsync(upload, body.Digest());
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    private static async Task<long> PeakAsync(CancellationToken done)
    {
        var peak = 0L;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!done.IsCancellationRequested)
        {
            peak = Math.Max(peak, Resident());
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        return peak;
    }

    private static long Resident()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    /// <summary>
    /// The most memory, managed and native, that the process ever had, in bytes as the kernel counts it: what was resident
    /// at the peak, without the pages that are the mapped files of .NET and libcrypto.
    /// </summary>
    private static long Peak(int process) => Status(process, "VmHWM:") - Status(process, "RssFile:");

    private static long Status(int process, string name)
    {
        var line = File.ReadLines($"/proc/{process}/status").Single(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
