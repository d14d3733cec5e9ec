using System.Diagnostics;
using System.Runtime.InteropServices;
using Gantry.Engine;
using Gantry.Engine.Bundles;

namespace Gantry.Cli.Running;

/// <summary>
/// The runtime as a child that has this process's streams, and with them the terminal. Signals go on to it, and it gives them to the container. It is started by the
/// thread that calls <see cref="Run"/> and so sees what that thread has mounted.
/// </summary>
internal sealed partial class ContainerRun(string program, ContainerFolder folder, bool passesInput)
{
    private const int Usr1 = 10, Usr2 = 12;

    public int ExitCode { get; private set; }

    private string LogFile => Path.Combine(folder.Path, "runtime.log");

    public void Run()
    {
        var start = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardInput = !passesInput };
        foreach (var word in (string[])["--log", LogFile, "--log-format", "json", "run", "--bundle", folder.BundlePath, "--pid-file", folder.ProcessFile, folder.Name])
            start.ArgumentList.Add(word);

        StopSignals.HandOver();
        using var child = Process.Start(start) ?? throw new EngineException(EngineFault.Local, $"{program} cannot be started");
        if (!passesInput) child.StandardInput.Close();
        var signals = new[] { PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, (PosixSignal)Usr1, (PosixSignal)Usr2 }
            .Select(signal => PosixSignalRegistration.Create(signal, context => Forward(context, child.Id))).ToList();
        try
        {
            child.WaitForExit();
        }
        finally
        {
            foreach (var signal in signals) signal.Dispose();
        }

        ExitCode = child.ExitCode == 0 ? 0 : RuntimeLog.ExitCodeOf(LogFile) ?? child.ExitCode;
    }

    private static void Forward(PosixSignalContext context, int child)
    {
        context.Cancel = true;
        var number = context.Signal switch
        {
            PosixSignal.SIGINT => 2,
            PosixSignal.SIGQUIT => 3,
            PosixSignal.SIGTERM => 15,
            PosixSignal.SIGHUP => 1,
            var other => (int)other,
        };
        // What was typed at a terminal went to all of its foreground group, the runtime included: once is enough.
        if (number is 2 or 3 && IsInForeground()) return;
        _ = Kill(child, number);
    }

    private static bool IsInForeground()
    {
        try
        {
            using var terminal = File.OpenHandle("/dev/tty", FileMode.Open, FileAccess.Read);
            return ForegroundGroup((int)terminal.DangerousGetHandle()) == OwnGroup();
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "tcgetpgrp")]
    private static partial int ForegroundGroup(int terminal);

    [LibraryImport("libc", EntryPoint = "getpgrp")]
    private static partial int OwnGroup();
}
