using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;

namespace Gantry.Cli.Commands;

/// <summary>A command with what its page of help has beside the options.</summary>
internal sealed class DocumentedCommand(string name, string summary) : Command(name, summary)
{
    /// <summary>Paragraphs.</summary>
    public required string Details { get; init; }

    /// <summary>What to type, and what comes of it.</summary>
    public required IReadOnlyList<(string Line, string Meaning)> Examples { get; init; }

    /// <summary>Exit code of a failure of gantry's own, where it is not the fault's.</summary>
    public int? FailureCode { get; init; }

    /// <summary>Runs it; whatever goes wrong is one sentence and an exit code.</summary>
    public DocumentedCommand Runs(Screen screen, Func<Session, CancellationToken, Task<int>> run)
    {
        SetAction(async (parsed, ct) =>
        {
            using var session = new Session(parsed, screen);
            try
            {
                var code = await run(session, ct);
                return screen.Failure is null ? code : throw new EngineException(EngineFault.Local, $"standard output cannot be written: {screen.Failure}");
            }
            catch (Exception fault)
            {
                session.EndProgress();
                return Faults.Show(session, fault, FailureCode);
            }
        });
        return this;
    }
}
