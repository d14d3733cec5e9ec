using System.Globalization;

namespace Gantry.Benchmarks.Pulls;

/// <summary>
/// The CPU time of some processes and of all that they start, those that have ended included: a control group of the kernel's unified hierarchy, which counts even where no
/// controller is on. Nothing else can say what a daemon and its helpers took for one request.
/// </summary>
internal sealed class CpuGroup : IDisposable
{
    private const string Members = "cgroup.procs";

    private static readonly string Top = FindTop();

    // Where this process was before it visited a group.
    private static readonly string Home = Path.Join(Top, File.ReadLines("/proc/self/cgroup").First(line => line.StartsWith("0::", StringComparison.Ordinal))[3..]);

    private readonly string _folder;

    public CpuGroup(string name)
    {
        _folder = Path.Combine(Top, $"gantry-bench-{Environment.ProcessId}-{name}");
        try
        {
            Directory.CreateDirectory(_folder);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"CPU time is counted by control groups: {_folder} cannot be made. Run as root where {Top} can be written to.", fault);
        }
    }

    public bool IsPopulated => File.ReadLines(Path.Combine(_folder, "cgroup.events")).Contains("populated 1");

    public double Seconds()
    {
        var line = File.ReadLines(Path.Combine(_folder, "cpu.stat")).First(text => text.StartsWith("usage_usec ", StringComparison.Ordinal));
        return long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture) / 1e6;
    }

    /// <summary>A command that enters the group and becomes <paramref name="words"/>.</summary>
    public string[] Around(params string[] words) => ["sh", "-c", $"echo $$ >{_folder}/{Members} && exec \"$@\"", "sh", .. words];

    /// <summary>What is started meanwhile is in the group, and stays: for daemons. So is this process, while nothing is measured.</summary>
    public async Task<T> WithinAsync<T>(Func<Task<T>> start)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, Members), $"{Environment.ProcessId}");
        try
        {
            return await start();
        }
        finally
        {
            await File.WriteAllTextAsync(Path.Combine(Home, Members), $"{Environment.ProcessId}");
        }
    }

    public void Dispose() => Directory.Delete(_folder);

    private static string FindTop() =>
        File.ReadLines("/proc/self/mounts").Select(line => line.Split(' ')).FirstOrDefault(words => words[2] == "cgroup2")?[1]
        ?? throw new InvalidOperationException("CPU time is counted by control groups of the unified hierarchy (cgroup2), which is not mounted");
}
