using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;

namespace Gantry.Cli.Commands;

internal static class SettleCommand
{
    public static Command Create(Screen screen) => new DocumentedCommand("settle", "Wait until what was pulled is on the disk.")
    {
        Details = """
            A pull ends when its blobs are on the disk and its files are unpacked; those the system writes in its own time, and a process of gantry's waits for that. A machine that loses its
            power before unpacks the layers again when they are next used, from the blobs, without a network. Who wants to know that they are there, before a snapshot of the disk, say, asks here.
            """,
        Examples = [("gantry pull debian:12 && gantry settle", "and the power may go")],
    }.Runs(screen, async (session, _) =>
    {
        await ImageStore.SettleAsync(session.Parsed.GetValue(GlobalOptions.Root)!);
        if (session.IsJson) screen.Result(CliJson.Line(new ResultLine("settled")));
        return ExitCodes.Success;
    });
}
