using System.Runtime.InteropServices;

namespace Gantry.Cli;

/// <summary>
/// Ctrl-C and a polite kill end what runs in order: what was fetched stays for the next time, nothing half-done is visible. The second signal ends the process at once.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private static StopSignals? _current;

    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals()
    {
        _registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP }.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];
        _current = this;
    }

    public CancellationToken Token => _stop.Token;

    /// <summary>Which it was, as shells count: 128 and the signal's number. 130 where none came.</summary>
    public static int ExitCode { get; private set; } = 130;

    /// <summary>From now on signals are somebody else's: a container's.</summary>
    public static void HandOver() => _current?.Dispose();

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        ExitCode = context.Signal switch { PosixSignal.SIGTERM => 143, PosixSignal.SIGHUP => 129, _ => 130 };
        if (_stop.IsCancellationRequested) return;
        context.Cancel = true;
        _stop.Cancel();
    }
}
