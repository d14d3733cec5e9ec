using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Gantry.Server.Tests.Faults;

/// <summary>The system calls of a running process as strace sees them, in the order in which they ended.</summary>
internal sealed partial class SystemCalls : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _strace;
    private readonly string _file;

    private SystemCalls(Process strace, string file) => (_strace, _file) = (strace, file);

    /// <summary>Attaches to all threads; returns once every call from now on is seen.</summary>
    public static async Task<SystemCalls> WatchAsync(int process, string file, params string[] calls)
    {
        Assert.True(File.Exists("/usr/bin/strace"), "the order of system calls is seen by strace: apt-get install strace");

        // -y: descriptors with what they are; -s: enough of a buffer to know it by.
        var strace = Process.Start(new ProcessStartInfo("/usr/bin/strace",
            ["-f", "-y", "-s", "64", "-e", $"trace={string.Join(',', calls)}", "-o", file, "-p", $"{process}"])
        {
            RedirectStandardError = true, UseShellExecute = false,
        })!;
        var said = await strace.StandardError.ReadLineAsync().WaitAsync(Patience) ?? "";
        Assert.True(said.Contains("attached", StringComparison.Ordinal), $"strace: {said} (it takes root, or kernel.yama.ptrace_scope=0)");
        _ = strace.StandardError.ReadToEndAsync();
        return new SystemCalls(strace, file);
    }

    /// <summary>Detaches and returns what happened, one call a line, from its name on.</summary>
    public async Task<List<string>> EndAsync()
    {
        if (!_strace.HasExited) Interrupt();
        await _strace.WaitForExitAsync().WaitAsync(Patience);
        return Join(await File.ReadAllLinesAsync(_file));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_strace.HasExited) Interrupt();
        await _strace.WaitForExitAsync().WaitAsync(Patience);
        _strace.Dispose();
    }

    // strace lets go of its process when it is asked to end; killed, it would leave it stopped.
    private void Interrupt() => Process.Start("kill", ["-INT", $"{_strace.Id}"]).WaitForExit();

    /// <summary>
    /// A call during which another thread's began is in two lines, "unfinished" and "resumed". Its place here is where
    /// it ended for those that make something durable and where it began for what goes out: the order that counts.
    /// </summary>
    private static List<string> Join(string[] lines)
    {
        var open = new Dictionary<string, string>(StringComparer.Ordinal);
        var calls = new List<string>();
        foreach (var line in lines)
        {
            if (Line().Match(line) is not { Success: true } parts) continue;
            var (thread, text) = (parts.Groups[1].Value, parts.Groups[2].Value);
            if (text.EndsWith("<unfinished ...>", StringComparison.Ordinal))
            {
                var begun = text[..^"<unfinished ...>".Length];
                if (Sends(begun)) calls.Add(begun);
                else open[thread] = begun;
            }
            else if (Resumed().Match(text) is { Success: true } rest)
            {
                if (open.Remove(thread, out var begun)) calls.Add(begun + rest.Groups[1].Value);
            }
            else calls.Add(text);
        }

        return calls;
    }

    private static bool Sends(string call) => call.StartsWith("send", StringComparison.Ordinal) || call.StartsWith("write", StringComparison.Ordinal);

    [GeneratedRegex(@"^(\d+)\s+(.*)$")]
    private static partial Regex Line();

    [GeneratedRegex(@"^<\.\.\. \w+ resumed>(.*)$")]
    private static partial Regex Resumed();
}
