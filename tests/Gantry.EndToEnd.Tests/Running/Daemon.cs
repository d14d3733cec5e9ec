using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Gantry.EndToEnd.Tests.Running;

/// <summary>
/// A server process of this run, ended by its id: SIGTERM first, SIGKILL when it has not gone after 20 s.
/// What it prints goes to a log that every message about it quotes.
/// </summary>
internal sealed partial class Daemon : IAsyncDisposable
{
    private const int SigTerm = 15;
    private readonly Process process;
    private readonly StreamWriter log;
    private readonly string logFile;
    private readonly Task[] copies;

    private Daemon(Process process, string logFile)
    {
        this.process = process;
        this.logFile = logFile;
        log = new StreamWriter(new FileStream(logFile, FileMode.Append, FileAccess.Write, FileShare.Read)) { AutoFlush = true };
        copies = [CopyAsync(process.StandardOutput), CopyAsync(process.StandardError)];
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    public static Daemon Start(Command command, string logFile, params string[] arguments) =>
        new(command.Start(arguments), logFile);

    public string Log => File.ReadAllText(logFile);

    /// <summary>Asks until the answer is yes. There is no event to await: the daemon is another process.</summary>
    public async Task UntilAsync(Func<Task<bool>> ready, TimeSpan limit)
    {
        var clock = Stopwatch.StartNew();
        while (!await ready())
        {
            if (process.HasExited || clock.Elapsed > limit)
                throw new InvalidOperationException($"{process.StartInfo.FileName} is not ready after {clock.Elapsed}:\n{Log}");
            await Task.Delay(50);
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    /// <summary>Ends it and returns its exit code.</summary>
    public async Task<int> StopAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        if (!process.HasExited) _ = Kill(process.Id, SigTerm);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
        var code = process.ExitCode;
        // A grandchild may hold the pipes open; its output is no longer of interest.
        await Task.WhenAny(Task.WhenAll(copies), Task.Delay(1000));
        await log.DisposeAsync();
        process.Dispose();
        return code;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);

    private void OnExit(object? sender, EventArgs e) => _ = Kill(process.Id, SigTerm);

    private async Task CopyAsync(StreamReader from)
    {
        try
        {
            while (await from.ReadLineAsync() is { } line)
            {
                lock (log) log.WriteLine(line);
            }
        }
        catch (ObjectDisposedException)
        {
        }
    }
}
