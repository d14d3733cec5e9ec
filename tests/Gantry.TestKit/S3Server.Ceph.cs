using System.Diagnostics;
using System.Security.Cryptography;

namespace Gantry.TestKit;

/// <summary>How Ceph is told to be small, quick and alone.</summary>
public sealed partial class S3Server
{
    private const long CapacityBytes = 6L << 30;

    /// <summary>Programs, and the Debian packages that have them.</summary>
    private static readonly (string Program, string Package)[] Needed =
    [
        ("ceph-mon", "ceph-mon"), ("monmaptool", "ceph-common"), ("ceph-osd", "ceph-osd"), ("ceph", "ceph-common"),
        ("radosgw", "radosgw"), ("radosgw-admin", "radosgw"),
    ];

    private string Configuration => Path.Combine(_folder, "ceph.conf");

    private static void RequirePrograms()
    {
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/bin", "/usr/sbin"];
        string[] missing =
        [
            .. Needed.Where(need => !folders.Any(folder => File.Exists(Path.Combine(folder, need.Program))))
                .Select(need => need.Package).Distinct(),
        ];
        if (missing.Length > 0)
            throw new InvalidOperationException($"the tests need Ceph for a real S3: apt-get install --no-install-recommends {string.Join(' ', missing)}");
    }

    /// <summary>Each program waits by itself for the one before: only the gateway has to be asked whether it is there.</summary>
    private async Task RunAsync(int monitorPort, (string CertificateFile, string KeyFile) certificate)
    {
        var (cluster, store, address) = (Guid.NewGuid().ToString(), Guid.NewGuid().ToString(), $"[v2:127.0.0.1:{monitorPort}/0]");
        await File.WriteAllTextAsync(Configuration, Settings(cluster, address, certificate));
        foreach (var name in (string[])["mon", "osd", "gateway"]) Directory.CreateDirectory(Path.Combine(_folder, name));

        // 1. The monitor: it has to be told that it is the only one.
        var map = Path.Combine(_folder, "monmap");
        await CallAsync("monmaptool", "--create", "--clobber", "--fsid", cluster, "--enable-all-features",
            "--set-min-mon-release", "16", "--addv", "a", address, map);
        await CallAsync("ceph-mon", "--conf", Configuration, "--mkfs", "-i", "a", "--monmap", map);
        Launch("ceph-mon", "-i", "a");

        // 2. The object store.
        await CallAsync("ceph", "--conf", Configuration, "osd", "new", store, "0");
        await CallAsync("ceph-osd", "--conf", Configuration, "--mkfs", "-i", "0", "--osd-uuid", store);
        Launch("ceph-osd", "-i", "0");

        // 3. The gateway, and the one user it has.
        await CallAsync("radosgw-admin", "--conf", Configuration, "--name", "client.rgw", "user", "create", "--uid=test",
            "--display-name=test", "--max-buckets=0", $"--access-key={AccessKey}", $"--secret-key={SecretKey}");
        await AnswersAsync(Launch("radosgw", "--name", "client.rgw"));
    }

    private Process Launch(string program, params string[] arguments)
    {
        var process = Start(program, ["-f", "--conf", Configuration, .. arguments]);
        lock (_daemons) _daemons.Add(process);
        return process;
    }

    /// <summary>
    /// Its output goes to a file: a pipe would fill, and the tests' own would be held open by what outlives them.
    /// </summary>
    private Process Start(string program, string[] arguments) =>
        Process.Start(new ProcessStartInfo("/bin/sh",
            ["-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null", "sh", Path.Combine(_folder, $"{program}.out.log"), program, .. arguments])
        {
            WorkingDirectory = "/",
            UseShellExecute = false,
            Environment = { ["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/bin:/usr/sbin" },
        })!;

    private async Task CallAsync(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        try
        {
            await process.WaitForExitAsync().WaitAsync(Patience);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }

        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} ended with exit code {process.ExitCode}");
    }

    /// <summary>It says nowhere that it listens: a port that refuses is asked again.</summary>
    private async Task AnswersAsync(Process gateway)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var patience = new CancellationTokenSource(Patience);
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await again.WaitForNextTickAsync(patience.Token))
        {
            if (gateway.HasExited) throw new InvalidOperationException($"radosgw ended with exit code {gateway.ExitCode}");
            try
            {
                using var answer = await client.GetAsync(Endpoint, patience.Token);
                return;
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }
        }
    }

    private string Settings(string cluster, string monitor, (string CertificateFile, string KeyFile) certificate) =>
        $"""
         [global]
         fsid = {cluster}
         mon host = {monitor}
         public addr = 127.0.0.1
         cluster addr = 127.0.0.1
         ms bind ipv6 = false
         ms bind msgr1 = false
         # Only the loopback reaches it, and nothing in it is secret. The gateway would ask for encryption, which needs keys.
         auth cluster required = none
         auth service required = none
         auth client required = none
         ms mon client mode = crc
         admin socket = {_folder}/$name.asok
         pid file = {_folder}/$name.pid
         log file = {_folder}/$name.log
         run dir = {_folder}
         crash dir = {_folder}
         log to stderr = false
         err to stderr = true
         # One copy of everything.
         osd pool default size = 1
         osd pool default min size = 1
         osd pool default pg num = 4
         osd pool default pgp num = 4
         osd pool default pg autoscale mode = off
         rgw rados pool pg num min = 4
         mon allow pool size one = true
         mon warn on pool no redundancy = false
         mon max pg per osd = 1000
         osd crush chooseleaf type = 0
         osd crush initial weight = 1

         [mon]
         mon data = {_folder}/mon
         mon cluster log file = {_folder}/cluster.log
         mon data avail warn = 2
         mon data avail crit = 1
         auth allow insecure global id reclaim = false
         # A start is a dozen changes of the map, each of which would wait for more to come.
         paxos propose interval = 0.05
         paxos min wait = 0.01

         [osd]
         osd data = {_folder}/osd
         osd objectstore = memstore
         memstore device bytes = {CapacityBytes}
         osd max scrubs = 0

         [client.rgw]
         rgw frontends = beast endpoint={Endpoint.Authority} ssl_endpoint={TlsEndpoint.Authority} ssl_certificate={certificate.CertificateFile} ssl_private_key={certificate.KeyFile}
         rgw data = {_folder}/gateway
         rgw enable apis = s3, admin
         rgw thread pool size = 128
         rgw run sync thread = false
         rgw dynamic resharding = false
         rgw enable ops log = false
         rgw enable usage log = false
         rgw multipart min part size = {MinPartBytes}
         # A key for server-side encryption, which it would take from a vault.
         rgw crypt require ssl = false
         rgw crypt s3 kms backend = testing
         rgw crypt s3 kms encryption keys = {KmsKey}={Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))}
         # Memory comes back seconds after a removal, not hours.
         rgw gc obj min wait = 10
         rgw gc processor period = 5
         rgw gc processor max time = 5

         """;
}
