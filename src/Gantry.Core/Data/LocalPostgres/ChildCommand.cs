using System.ComponentModel;
using System.Diagnostics;

namespace Gantry.Core.Data;

/// <summary>A short-lived tool: what it printed (both streams) and how it ended.</summary>
internal static class ChildCommand
{
    internal static async Task<(int ExitCode, string Output)> RunAsync(
        string program, IEnumerable<string> arguments, CancellationToken ct)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(ct);
            var errors = process.StandardError.ReadToEndAsync(ct);
            await process.WaitForExitAsync(ct);
            return (process.ExitCode, await output + await errors);
        }
        catch (Win32Exception e)
        {
            return (127, e.Message);
        }
    }

    /// <summary>A tool of the base system; a service's PATH may be short, so the usual folders count too.</summary>
    internal static string Locate(string tool)
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        foreach (var folder in path.Split(':').Concat(["/usr/bin", "/bin", "/usr/sbin", "/sbin"]))
        {
            if (folder.StartsWith('/') && File.Exists(Path.Combine(folder, tool))) return Path.Combine(folder, tool);
        }

        throw new LocalPostgresException(
            $"The server's own PostgreSQL needs the program '{tool}', which is not here: apt-get install util-linux, " +
            "or set ConnectionStrings:Registry to use a PostgreSQL of yours.");
    }
}
