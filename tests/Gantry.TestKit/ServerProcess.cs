using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Gantry.TestKit;

/// <summary>
/// The real <c>gantry-server</c> as a process of its own, to be killed, stopped and looked at. It is the build that lies
/// beside the tests, so it has their configuration. It is killed with the test that forgot it (disposing).
/// </summary>
public sealed partial class ServerProcess : IAsyncDisposable
{
    public const int SigKill = 9, SigTerm = 15, SigContinue = 18, SigStop = 19;

    private const string ListeningOn = "Now listening on: ";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly Process _process;
    private readonly StringBuilder _output = new(), _errors = new();
    private readonly TaskCompletionSource<Uri?> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _streams;

    private ServerProcess(Process process)
    {
        _process = process;
        _streams = Task.WhenAll(ReadAsync(process.StandardOutput, _output), ReadAsync(process.StandardError, _errors));
        _ = _streams.ContinueWith(_ => _listening.TrySetResult(null), TaskScheduler.Default);
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Completes when it ends, whenever that is.</summary>
    public Task Exited => _process.WaitForExitAsync();

    /// <summary>What it wrote to its output so far: the log, and a password at the first start.</summary>
    public string Output => Read(_output);

    public string Errors => Read(_errors);

    /// <param name="folder">Its working folder.</param>
    /// <param name="arguments">The verb, and settings as <c>--Section:Key=value</c>.</param>
    /// <param name="environment">On top of the tests' own.</param>
    /// <param name="input">What it reads from its standard input.</param>
    public static ServerProcess Launch(string folder, IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null, string input = "")
    {
        var program = Path.Combine(AppContext.BaseDirectory, "gantry-server.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            WorkingDirectory = folder, UseShellExecute = false,
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        var server = new ServerProcess(Process.Start(start)!);
        server._process.StandardInput.Write(input);
        server._process.StandardInput.Close();
        return server;
    }

    /// <summary>Where it listens, once it does: database, tables and first account are there by then.</summary>
    /// <exception cref="InvalidOperationException">It ended instead.</exception>
    public async Task<Uri> ListeningAsync() => await _listening.Task.WaitAsync(Patience) ?? throw new InvalidOperationException(
        $"gantry-server ended before it listened, exit code {await WaitForExitAsync()}:\n{Output}{Errors}");

    public void Signal(int signal) => Signal(Id, signal);

    /// <summary>To any process; one that is gone has nothing to hear it.</summary>
    public static void Signal(int process, int signal) => _ = Kill(process, signal);

    /// <summary>SIGKILL; returns once the process is gone.</summary>
    public async Task KillAsync()
    {
        Signal(SigKill);
        await WaitForExitAsync();
    }

    /// <summary>SIGTERM; returns the exit code.</summary>
    public Task<int> StopAsync()
    {
        Signal(SigTerm);
        return WaitForExitAsync();
    }

    /// <summary>128 and the signal's number where a signal ended it.</summary>
    public async Task<int> WaitForExitAsync()
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(Patience);
            await _streams.WaitAsync(Patience);
        }
        catch (TimeoutException late)
        {
            throw new InvalidOperationException($"gantry-server does not end:\n{Output}{Errors}", late);
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!HasExited) await KillAsync();
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    internal static partial int Kill(int process, int signal);

    private static string Read(StringBuilder text)
    {
        lock (text) return text.ToString();
    }

    private async Task ReadAsync(StreamReader stream, StringBuilder text)
    {
        while (await stream.ReadLineAsync() is { } line)
        {
            lock (text) text.AppendLine(line);
            var found = line.IndexOf(ListeningOn, StringComparison.Ordinal);
            if (found >= 0) _listening.TrySetResult(new Uri(line[(found + ListeningOn.Length)..]));
        }
    }
}
