using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Engine.Archives;

namespace Gantry.Cli.Commands;

internal static class ExportCommand
{
    public static Command Create(Screen screen)
    {
        var reference = Words.Reference();
        var output = new Option<string?>("--output", "-o") { Description = "File to write to instead of standard output.", HelpName = "FILE" };
        return new DocumentedCommand("export", "Write an image's root filesystem as one tar.")
        {
            Details = """
                As docker export does of a container: the layers merged, no whiteouts, hard links kept, owners by number. Names, times to the nanosecond and extended attributes are
                exact (PAX). The same image gives the same bytes. It is pulled first where the store does not have it.
                """,
            Examples = [("gantry export debian:12 | tar -tv | less", "what is in it"), ("gantry export -o debian.tar debian:12", "to a file")],
            Arguments = { reference },
            Options = { output },
        }.Runs(screen, async (session, ct) =>
        {
            var path = session.Parsed.GetValue(output);
            if (session.IsJson && path is null or "-") throw new EngineException(EngineFault.Usage, "--json and an archive cannot both go to standard output: use -o FILE");
            if (path is null or "-" && screen.AreResultsOnTerminal) throw new EngineException(EngineFault.Usage, "an archive is not written to a terminal: use -o FILE or a pipe");
            var store = await session.OpenStoreAsync(ct);
            var name = await LocalNames.OfAsync(store, session.Parsed.GetValue(reference)!, ct);
            var image = await Pulls.EnsureAsync(session, store, name, ct);
            await OutputFile.WriteAsync(screen, path, stream => ImageExport.WriteAsync(store, image, stream, ct));
            if (session.IsJson) screen.Result(CliJson.Line(new ResultLine("exported", name.Canonical, image.Top.Digest.ToString(), path)));
            return ExitCodes.Success;
        });
    }
}
