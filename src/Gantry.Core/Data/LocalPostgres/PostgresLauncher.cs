using System.ComponentModel;
using System.Diagnostics;

namespace Gantry.Core.Data;

/// <summary>
/// Starts a PostgreSQL program on a folder: in a session of its own, so that a Ctrl-C or a hang-up of the terminal
/// reaches the server alone; with its output in the log file, so that it outlives a killed server; without root.
/// </summary>
/// <remarks>
/// The unprivileged program may be unable to reach the folder by name (a data folder below root's 0700 home). So a
/// shell opens it while still root and hands it down as descriptor 9: /proc/self/fd/9 leads every process of the
/// cluster straight to the folder, whatever lies above it and even after a rename. (Its working directory would not
/// do: the programs change it while they look for themselves.)
/// </remarks>
internal sealed class PostgresLauncher(PostgresAccount account, string logFile)
{
    private const string InheritedFolder = "/proc/self/fd/9";

    private const string Script =
        "umask 077; log=$1 folder=$2; shift 2; exec </dev/null >>\"$log\" 2>&1 9<\"$folder\"; cd /; exec \"$@\"";

    /// <summary>How the started program names the folder it works on.</summary>
    internal string NameOf(string folder) => account.DropsRoot ? InheritedFolder : folder;

    /// <summary>The real folder behind a name that a cluster noted down (in its postmaster.pid).</summary>
    internal static string Resolve(string name, string folder) => name == InheritedFolder ? folder : name;

    internal Process Start(string folder, string program, IEnumerable<string> arguments)
    {
        // Redirected, so that the runtime does not share the terminal with it; the shell replaces all three at once.
        var start = new ProcessStartInfo(ChildCommand.Locate("setsid"))
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        string[] shell = ["/bin/sh", "-c", Script, "sh", logFile, folder];
        foreach (var argument in shell.Concat(Unprivileged()).Append(program).Concat(arguments))
        {
            start.ArgumentList.Add(argument);
        }

        // The server's environment holds secrets (passwords, keys) and maybe PG* settings meant for another cluster.
        var libraries = Environment.GetEnvironmentVariable("LD_LIBRARY_PATH");
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["LC_ALL"] = "C";
        start.Environment["TZ"] = "UTC";
        if (libraries is not null) start.Environment["LD_LIBRARY_PATH"] = libraries;
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new LocalPostgresException($"Cannot start {program}: {e.Message}", e);
        }
    }

    private string[] Unprivileged() => !account.DropsRoot ? [] :
    [
        ChildCommand.Locate("setpriv"), $"--reuid={account.UserId}", $"--regid={account.GroupId}",
        "--clear-groups", "--inh-caps=-all", "--",
    ];
}
