using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Gantry.TestKit;

namespace Gantry.Benchmarks;

/// <summary>A registry process on a port and a folder of its own; disposing ends it by its process id.</summary>
internal sealed class RegistryProcess : IAsyncDisposable
{
    /// <summary>Of the administrator.</summary>
    public const string Password = "benchmark";

    private readonly Process _process;

    private RegistryProcess(string name, Uri address, Process process) =>
        (Name, Address, _process) = (name, address, process);

    public string Name { get; }

    public int Id => _process.Id;

    public Uri Address { get; }

    public long ResidentMib()
    {
        _process.Refresh();
        return _process.WorkingSet64 >> 20;
    }

    /// <summary>What requests carry; null: nothing.</summary>
    public AuthenticationHeaderValue? Credential { get; set; }

    /// <summary>With a login for everything, or (what peers are compared with) without any.</summary>
    /// <param name="settings">Further ones, as <c>Section:Key=value</c>.</param>
    public static Task<RegistryProcess> StartGantryAsync(string folder, string access = "Full", params string[] settings)
    {
        var port = FreePort();
        var server = Path.Combine(AppContext.BaseDirectory.Replace("tests/Gantry.Benchmarks", "src/Gantry.Server", StringComparison.Ordinal),
            "gantry-server.dll");
        return StartAsync("gantry", port, folder, "dotnet", [server, "serve", "--urls", $"http://127.0.0.1:{port}",
            $"--Data:Root={folder}", $"--Access:Anonymous={access}", $"--Access:AdminPassword={Password}", "--Access:TokenLifetime=01:00:00",
            "--Logging:LogLevel:Default=Warning", .. settings.Select(setting => $"--{setting}")]);
    }

    public static async Task<RegistryProcess> StartPeerAsync(string folder)
    {
        var port = FreePort();
        var config = Path.Combine(folder, "config.yml");
        await File.WriteAllTextAsync(config,
            $"""
             version: 0.1
             log: {"{"} level: error, accesslog: {"{"} disabled: true {"}"} {"}"}
             storage:
               filesystem: {"{"} rootdirectory: {folder}/registry {"}"}
               delete: {"{"} enabled: true {"}"}
             http: {"{"} addr: 127.0.0.1:{port} {"}"}
             """);
        return await StartAsync("docker-registry", port, folder, "docker-registry", ["serve", config]);
    }

    public void Signal(int signal) => ServerProcess.Signal(_process.Id, signal);

    public async ValueTask DisposeAsync()
    {
        using (_process)
        {
            Signal(ServerProcess.SigTerm);
            Signal(ServerProcess.SigContinue);
            await _process.WaitForExitAsync();
        }
    }

    private static async Task<RegistryProcess> StartAsync(string name, int port, string folder, string program,
        string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = folder,
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) => { if (line.Data is not null) Console.Error.WriteLine($"{name}: {line.Data}"); };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        var address = new Uri($"http://127.0.0.1:{port}");
        using var client = new HttpClient();
        for (var limit = Stopwatch.StartNew(); limit.Elapsed < TimeSpan.FromSeconds(30);)
        {
            try
            {
                using var reply = await client.GetAsync(new Uri(address, "/v2/"));
                return new RegistryProcess(name, address, process);
            }
            catch (HttpRequestException) when (!process.HasExited)
            {
                await Task.Delay(50);
            }
        }

        throw new InvalidOperationException($"{name} did not answer");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
