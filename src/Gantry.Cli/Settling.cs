using System.ComponentModel;
using System.Diagnostics;
using Gantry.Engine;

namespace Gantry.Cli;

/// <summary>
/// After a pull: a process of its own waits for the disk, as long as that takes, and nobody waits for it. If it does not come to its end, the next one does it; if the machine does not, the
/// layers are unpacked again.
/// </summary>
internal static class Settling
{
    public static async Task BeginAsync(Session session, ImageStore store)
    {
        if (store.IsSettled) return;
        if (new DriveInfo(store.Root).DriveFormat is "tmpfs" or "ramfs")
        {
            // No disk to wait for.
            await store.SettleAsync();
            return;
        }

        var program = Environment.ProcessPath!;
        string[] host = Path.GetFileName(program) == "dotnet" ? [Path.Combine(AppContext.BaseDirectory, "gantry.dll")] : [];
        // Streams of its own, which end with this process: whoever reads ours is not to wait for it.
        var start = new ProcessStartInfo(program, [.. host, "settle", "--root", store.Root])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/",
        };
        try
        {
            Process.Start(start)!.Dispose();
        }
        catch (Win32Exception fault)
        {
            session.Warn($"what was unpacked is not on the disk yet, and {program} cannot be started to wait for it: {fault.Message}");
        }
    }
}
