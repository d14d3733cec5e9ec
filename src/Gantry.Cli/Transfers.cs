using Gantry.Cli.Output;
using Gantry.Engine.Archives;
using Gantry.Engine.Remote;
using Gantry.Oci;

namespace Gantry.Cli;

/// <summary>What <c>push</c> and <c>copy</c> say at their end.</summary>
internal static class Transfers
{
    public static void Report(Session session, string what, ImageName name, Digest digest)
    {
        session.EndProgress();
        if (session.IsJson) session.Screen.Result(CliJson.Line(new ResultLine(what, name.Canonical, digest.ToString())));
        else session.Screen.Result(name.At(digest).Canonical);
    }
}

/// <summary>A blob's way to a registry in docker's words.</summary>
internal sealed class TransferSteps(IProgressView view) : IProgress<TransferProgress>
{
    public void Report(TransferProgress value) =>
        view.Report(new ProgressStep(Shown.Short(value.Digest), Words(value.Phase), value.Bytes, value.Total, value.Phase != TransferPhase.Copying));

    private static string Words(TransferPhase phase) => phase switch
    {
        TransferPhase.Copying => "Pushing",
        TransferPhase.Present => "Already exists",
        TransferPhase.Mounted => "Mounted",
        _ => "Pushed",
    };
}
