using System.Diagnostics;
using System.Runtime.InteropServices;
using Gantry.Engine;
using Gantry.Engine.Bundles;

namespace Gantry.Cli.Running;

/// <summary>
/// The runtime as a child that has this process's streams, and with them the terminal. Signals go on to it, and it gives them to the container. It is started by the
/// thread that calls <see cref="Run"/> and so sees what that thread has mounted.
/// </summary>
/// <param name="flags">For the runtime itself, before its verb.</param>
internal sealed partial class ContainerRun(string program, IReadOnlyList<string> flags, ContainerFolder folder, bool passesInput)
{
    private const int Usr1 = 10, Usr2 = 12;

    private readonly Lock _gate = new();
    private int _child, _early;

    public int ExitCode { get; private set; }

    private string LogFile => Path.Combine(folder.Path, "runtime.log");

    /// <exception cref="OperationCanceledException">A signal came before there was anything to pass it on to.</exception>
    public void Run(CancellationToken ct)
    {
        var start = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardInput = !passesInput };
        string[] words = [.. flags, .. StateFlags(), "--log", LogFile, "--log-format", "json", "run", "--bundle", folder.BundlePath, "--pid-file", folder.ProcessFile, folder.Name];
        foreach (var word in words) start.ArgumentList.Add(word);

        // At no moment does a signal meet nobody.
        var signals = new[] { PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, (PosixSignal)Usr1, (PosixSignal)Usr2 }
            .Select(signal => PosixSignalRegistration.Create(signal, Forward)).ToList();
        StopSignals.HandOver();
        try
        {
            ct.ThrowIfCancellationRequested();
            using var child = Process.Start(start) ?? throw new EngineException(EngineFault.Local, $"{program} cannot be started");
            if (!passesInput) child.StandardInput.Close();
            lock (_gate)
            {
                _child = child.Id;
                if (_early != 0) _ = Kill(_child, _early);
            }

            child.WaitForExit();
            ExitCode = child.ExitCode == 0 ? 0 : RuntimeLog.ExitCodeOf(LogFile) ?? child.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception fault)
        {
            throw new EngineException(EngineFault.Local, $"{program} cannot be started: {fault.Message}", fault);
        }
        finally
        {
            foreach (var signal in signals) signal.Dispose();
        }
    }

    /// <summary>Runtimes keep what they know of a container in /run, or where there is a session in its folder. Who has neither keeps it beside the bundle.</summary>
    private string[] StateFlags() => Environment.IsPrivilegedProcess || Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 }
        ? [] : ["--root", Path.Combine(folder.Path, "state")];

    private void Forward(PosixSignalContext context)
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
        lock (_gate)
        {
            if (_child == 0) _early = number;
            // What was typed at a terminal went to all of its foreground group, the runtime included: once is enough.
            else if (number is not (2 or 3) || !IsInForeground()) _ = Kill(_child, number);
        }
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
