using System.Diagnostics;
using System.Globalization;

namespace Gantry.Benchmarks.Pulls;

/// <param name="Cpu">Seconds, of the command, its helpers and its daemon.</param>
/// <param name="Wall">Seconds.</param>
/// <param name="PeakMib">The most that the command itself had resident.</param>
internal readonly record struct Cost(double Cpu, double Wall, double PeakMib)
{
    public static Cost operator +(Cost one, Cost other) => new(one.Cpu + other.Cpu, one.Wall + other.Wall, Math.Max(one.PeakMib, other.PeakMib));
}

/// <summary>Runs commands within a group and says what they cost.</summary>
/// <param name="isAlone">No daemon is in the group: what a command leaves running counts until it ends, in CPU and not in wall.</param>
internal sealed class Meter(CpuGroup group, IReadOnlyDictionary<string, string> environment, bool isAlone = false)
{
    public async Task<Cost> RunAsync(params string[] words)
    {
        var around = group.Around(words);
        var start = new ProcessStartInfo(around[0], around[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = "/" };
        foreach (var (name, value) in environment) start.Environment[name] = value;

        var (before, clock) = (group.Seconds(), Stopwatch.StartNew());
        using var process = Process.Start(start)!;
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var ended = process.WaitForExitAsync();

        // The kernel's own high-water mark, as long as there is one: what is missed is the growth in the last moment.
        var peak = 0L;
        while (await Task.WhenAny(ended, Task.Delay(10)) != ended) peak = Math.Max(peak, HighWater(process.Id));
        var wall = clock.Elapsed.TotalSeconds;
        while (isAlone && group.IsPopulated) await Task.Delay(10);
        var cost = new Cost(group.Seconds() - before, wall, peak / 1024.0);
        var texts = await said;
        return process.ExitCode == 0 ? cost : throw new InvalidOperationException($"{string.Join(' ', words)} ended with {process.ExitCode}: {string.Concat(texts)}");
    }

    private static long HighWater(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(text => text.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0; // It has just ended.
        }
    }
}
