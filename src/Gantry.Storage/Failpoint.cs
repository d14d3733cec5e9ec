using System.Globalization;
using System.Runtime.InteropServices;

namespace Gantry.Storage;

/// <summary>
/// Places where a test may end the process as a power cut would: <c>GANTRY_FAILPOINT=name</c> kills it with SIGKILL at
/// the first hit of that name, <c>name:N</c> at the Nth. <c>GANTRY_FAILPOINT=/path</c> names a file that holds such a
/// name, or another one each time a hit looks. The names are listed in the README of each folder that has some. Unset, a hit
/// costs one null check.
/// </summary>
public static partial class Failpoint
{
    private const int SigKill = 9;
    private static readonly string? Setting = Environment.GetEnvironmentVariable("GANTRY_FAILPOINT") is { Length: > 0 } given ? given : null;
    private static readonly Lock Gate = new();
    private static string Armed = "";
    private static int Hits;

    public static void Hit(string name)
    {
        if (Setting is not null && IsTheOne(Setting, name)) _ = Kill(Environment.ProcessId, SigKill);
    }

    private static bool IsTheOne(string setting, string name)
    {
        lock (Gate)
        {
            var armed = setting.StartsWith('/') ? File.ReadAllText(setting) : setting;
            if (armed != Armed) (Armed, Hits) = (armed, 0);
            var colon = armed.IndexOf(':', StringComparison.Ordinal);
            if (name != (colon < 0 ? armed : armed[..colon])) return false;
            return ++Hits == (colon < 0 ? 1 : int.Parse(armed.AsSpan(colon + 1), CultureInfo.InvariantCulture));
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
