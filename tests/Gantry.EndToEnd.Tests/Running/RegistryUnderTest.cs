using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Gantry.EndToEnd.Tests.Running;

/// <summary>
/// The server the clients talk to: `./run.sh` on a free port of 127.0.0.1 with a data folder of its own.
/// A restart keeps port and data.
/// </summary>
internal sealed partial class RegistryUnderTest : IAsyncDisposable
{
    private readonly string folder;
    private readonly int port = FreePort();
    private readonly Command run;
    private Daemon? daemon;

    private RegistryUnderTest(string folder, string[] settings)
    {
        this.folder = folder;
        var data = Path.Combine(folder, "data");
        Admin = new AdminVerbs(data, settings);
        run = new Command(Path.Combine(SourceTree.Root, "run.sh"),
            ["--urls", $"http://{Host}", "--data", data, .. settings])
        {
            Environment = new() { ["Access__AdminPassword"] = Password },
        };
    }

    public string Host => $"127.0.0.1:{port}";

    public string User { get; } = "admin";

    public string Password { get; } = "correct horse battery";

    public AdminVerbs Admin { get; }

    public static async Task<RegistryUnderTest> StartAsync(string folder, params string[] settings)
    {
        Directory.CreateDirectory(folder);
        var registry = new RegistryUnderTest(folder, settings);
        await registry.StartAgainAsync();
        return registry;
    }

    /// <summary>Ends the server as an operator does, by SIGTERM, and returns its exit code.</summary>
    public async Task<int> StopAsync()
    {
        var code = await daemon!.StopAsync();
        daemon = null;
        return code;
    }

    public async ValueTask DisposeAsync()
    {
        if (daemon is not null) await StopAsync();
    }

    /// <summary>The server's log lines of requests that begin like this: "PATCH /v2/name/".</summary>
    public IReadOnlyList<string> Requests(string beginning) =>
        [.. Lines().Where(line => line.Contains($"] {beginning}", StringComparison.Ordinal))];

    /// <summary>The log lines of answers with a status of 500 and above: there should be none.</summary>
    public IReadOnlyList<string> Faults() => [.. Lines().Where(line => ServerFault().IsMatch(line))];

    /// <summary>An HTTP client of the registry with the administrator's Basic credentials, or with none.</summary>
    public HttpClient Http(bool anonymous = false)
    {
        var client = new HttpClient { BaseAddress = new Uri($"http://{Host}") };
        if (anonymous) return client;
        var secret = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"));
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", secret);
        return client;
    }

    /// <summary>The digest that the registry itself answers for a reference, or null when there is none.</summary>
    public async Task<string?> DigestAsync(string repository, string reference)
    {
        using var http = Http();
        using var request = new HttpRequestMessage(HttpMethod.Head, $"/v2/{repository}/manifests/{reference}");
        request.Headers.TryAddWithoutValidation("Accept", ManifestTypes.All);
        using var answer = await http.SendAsync(request);
        if (answer.StatusCode == HttpStatusCode.NotFound) return null;
        answer.EnsureSuccessStatusCode();
        return answer.Headers.GetValues("Docker-Content-Digest").Single();
    }

    /// <summary>Starts on the port and the data of before; returns the time until it was ready.</summary>
    public async Task<TimeSpan> StartAgainAsync()
    {
        var began = TimeProvider.System.GetTimestamp();
        daemon = Daemon.Start(run, Path.Combine(folder, "log"));
        using var http = Http(anonymous: true);
        // The first start may have to build the server.
        await daemon.UntilAsync(() => AnswersAsync(http), TimeSpan.FromMinutes(5));
        return TimeProvider.System.GetElapsedTime(began);
    }

    private string[] Lines() => File.ReadAllLines(Path.Combine(folder, "log"));

    [GeneratedRegex(@"\] [A-Z]+ /\S* 5\d\d in ")]
    private static partial Regex ServerFault();

    private static async Task<bool> AnswersAsync(HttpClient http)
    {
        try
        {
            using var answer = await http.GetAsync("/healthz/ready");
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
