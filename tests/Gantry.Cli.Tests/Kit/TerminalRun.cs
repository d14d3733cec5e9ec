using System.Diagnostics;
using System.Text;

namespace Gantry.Cli.Tests.Kit;

/// <summary>
/// A shell line on a terminal of its own (by script, which every Debian has), typed at and read as a person would. Where it waits for words that do not come, it
/// says what came instead.
/// </summary>
internal sealed class TerminalRun : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _seen = new();
    private readonly byte[] _block = new byte[4096];
    private int _awaited;

    /// <param name="gantry">Its store and home.</param>
    /// <param name="line">What sh runs; gantry is <c>$G</c>, this terminal's path is written to the file <c>tty</c>.</param>
    public TerminalRun(GantryRuns gantry, int columns, int rows, string line)
    {
        var start = new ProcessStartInfo("script", ["-qec", $"stty cols {columns} rows {rows}; tty >{gantry.Path("tty")}; {line}", "/dev/null"])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = gantry.Folder,
        };
        gantry.SetEnvironment(start);
        (start.Environment["TERM"], start.Environment["SHELL"], start.Environment["G"]) = ("xterm", "/bin/sh", GantryRuns.ProgramLine);
        _process = Process.Start(start)!;
    }

    /// <summary>Everything the terminal got, with the line ends it was sent.</summary>
    public string Seen => _seen.Replace("\r\n", "\n").ToString();

    public async Task TypeAsync(string keys)
    {
        await _process.StandardInput.WriteAsync(keys);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Waits until this stands on the terminal, behind what was waited for before.</summary>
    public async Task UntilAsync(string words)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (_seen.ToString().IndexOf(words, _awaited, StringComparison.Ordinal) is var at)
        {
            if (at >= 0)
            {
                _awaited = at + words.Length;
                return;
            }

            if (!await ReadAsync(limit.Token)) Assert.Fail($"'{words}' is not among what came: {_seen}");
        }
    }

    /// <returns>The line's exit code.</returns>
    public async Task<int> EndAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        while (await ReadAsync(limit.Token))
        {
        }

        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<bool> ReadAsync(CancellationToken ct)
    {
        try
        {
            var count = await _process.StandardOutput.BaseStream.ReadAsync(_block, ct);
            _seen.Append(Encoding.UTF8.GetString(_block, 0, count));
            return count > 0;
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"nothing more comes after {Limit}: {_seen}");
            throw;
        }
    }
}
