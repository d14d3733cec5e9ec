using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Layers;

namespace Gantry.Cli;

/// <summary>What went wrong, in one sentence. A bug of ours shows where it is: somebody has to report it.</summary>
internal static class Faults
{
    public static int Show(Session session, Exception fault, int? failureCode)
    {
        // As any tool of a pipeline ends whose reader has seen enough: with nothing to say.
        if (Screen.IsClosedPipe(fault)) return ExitCodes.ClosedPipe;
        var code = ExitCodes.Of(fault);
        if (failureCode is { } given && code is not ExitCodes.Unexpected && fault is not OperationCanceledException) code = given;
        var name = fault switch
        {
            EngineException engine => engine.Fault.ToString(),
            LayerException layer => $"Layer{layer.Fault}",
            OperationCanceledException => "Interrupted",
            IOException or UnauthorizedAccessException => nameof(EngineFault.Local),
            _ => "Unexpected",
        };
        var message = fault is OperationCanceledException ? "interrupted" : code == ExitCodes.Unexpected ? $"unexpected: {fault}" : fault.Message;
        if (session.IsJson) session.Screen.Result(CliJson.Line(new ErrorLine("error", name, message, code)));
        session.Screen.Note($"gantry: {message}");
        return code;
    }
}
