using System.Globalization;
using System.Runtime.InteropServices;

namespace Gantry.Engine;

/// <summary>
/// Places where a test may end the process as a power cut would: <c>GANTRY_FAILPOINT=name</c> kills it with SIGKILL at the first hit of that name, <c>name:N</c> at
/// the Nth. The names are in this project's README. Unset, a hit costs one null check.
/// </summary>
internal static partial class Failpoint
{
    private const int SigKill = 9;
    private static readonly string? Armed = Name(Environment.GetEnvironmentVariable("GANTRY_FAILPOINT"), out Remaining);
    private static int Remaining;

    public static void Hit(string name)
    {
        if (Armed is null || Armed != name || Interlocked.Decrement(ref Remaining) != 0) return;
        _ = Kill(Environment.ProcessId, SigKill);
    }

    private static string? Name(string? setting, out int hits)
    {
        hits = 1;
        if (string.IsNullOrEmpty(setting)) return null;
        var colon = setting.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return setting;
        hits = int.Parse(setting.AsSpan(colon + 1), CultureInfo.InvariantCulture);
        return setting[..colon];
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
