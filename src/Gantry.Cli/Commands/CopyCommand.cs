using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine.Archives;
using Gantry.Engine.Remote;

namespace Gantry.Cli.Commands;

internal static class CopyCommand
{
    public static Command Create(Screen screen)
    {
        var source = new Argument<string>("FROM") { Description = "Image at its registry." };
        var target = new Argument<string>("TO") { Description = "What it is to be called there." };
        var referrers = new Option<bool>("--referrers") { Description = "Copy what refers to the image too: signatures, lists of its parts (SBOM), attestations." };
        return new DocumentedCommand("copy", "Copy an image from one registry to another.")
        {
            Details = """
                Byte by byte, so that digests stay: an index with all its platforms (or the one of --platform), artifacts too. Nothing is kept here. What the target has is not sent, and
                within one registry blobs are mounted, not moved. The tag changes last.

                With --referrers all manifests go that have the image, one of its platforms or each other as their subject. Where the target has no API for such lists, they are kept
                under the tags that the specification has for them.
                """,
            Examples =
            [
                ("gantry copy debian:12 localhost:5000/debian:12", "into a registry of one's own"),
                ("gantry copy --referrers app.example/web:1.0 mirror.example/web:1.0", "with its signatures"),
                ("gantry copy app.example/web:rc3 app.example/web:1.0", "another name for the same image"),
            ],
            Arguments = { source, target },
            Options = { referrers },
        }.Runs(screen, async (session, ct) =>
        {
            var (from, to) = (ImageName.Parse(session.Parsed.GetValue(source)), ImageName.Parse(session.Parsed.GetValue(target)));
            var registries = session.OpenRegistries();
            var transfer = new ImageTransfer(registries.Open(to), new TransferSteps(session.Progress));
            var digest = await transfer.CopyAsync(registries.Open(from), from.Reference, to.Reference, session.Platform, session.Parsed.GetValue(referrers), ct);
            Transfers.Report(session, "copied", to, digest);
            return ExitCodes.Success;
        });
    }
}
