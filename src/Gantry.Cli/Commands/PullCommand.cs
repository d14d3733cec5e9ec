using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Engine.Images;
using Gantry.Engine.Remote;

namespace Gantry.Cli.Commands;

internal static class PullCommand
{
    public static Command Create(Screen screen)
    {
        var reference = Words.Reference();
        var parallel = new Option<int?>("--parallel") { Description = "Layers at a time, 1 to 64. Default: one a processor, 3 to 8.", HelpName = "N" };
        var discard = new Option<bool>("--discard-blobs") { Description = "Remove compressed layers once they are unpacked: half the room, but the image cannot be saved." };
        var blobsOnly = new Option<bool>("--no-unpack") { Description = "Fetch blobs alone." };
        var verifyFirst = new Option<bool>("--verify-first") { Description = "Unpack a layer only once all of it is here and its digest is right: slower." };
        var strict = new Option<bool>("--strict") { Description = "Refuse layers with anomalies that are warnings otherwise." };
        return new DocumentedCommand("pull", "Fetch an image into the local store.")
        {
            Details = """
                Fetches what REF points at for this machine's platform, or the one of --platform: every layer once, checked against its digest and its diffID while it is
                unpacked. What the store has already is not fetched, and an interrupted pull goes on where it was.

                An image without a registry's name is of docker.io, one without a tag is latest. A digest decides over a tag. Mirrors and certificates by registry are read from
                $XDG_CONFIG_HOME/gantry/registries.json and /etc/gantry/registries.json.

                The last line on standard output is the image by its digest.
                """,
            Examples =
            [
                ("gantry pull debian:12", "from docker.io"),
                ("gantry pull --platform linux/arm64 ghcr.io/owner/app", "for another machine"),
                ("gantry pull -q localhost:5000/app@sha256:4c2...", "exactly these bytes, without progress"),
                ("gantry pull --json nginx | jq .", "for programs"),
            ],
            Arguments = { reference },
            Options = { parallel, discard, blobsOnly, verifyFirst, strict },
        }.Runs(screen, async (session, ct) =>
        {
            var name = ImageName.Parse(session.Parsed.GetValue(reference));
            var options = session.PullOptions with
            {
                KeepLayerBlobs = !session.Parsed.GetValue(discard),
                Unpack = !session.Parsed.GetValue(blobsOnly),
                VerifyFirst = session.Parsed.GetValue(verifyFirst),
                Unpacking = new() { Strict = session.Parsed.GetValue(strict) },
            };
            if (session.Parsed.GetValue(parallel) is { } count) options = options with { Parallelism = count };
            var pulled = await Pulls.PullAsync(session, await session.OpenStoreAsync(ct), name, options, ct);
            session.EndProgress();

            var digest = pulled.Image.Top.Digest;
            if (session.IsJson)
            {
                var line = new ResultLine("pulled", name.Canonical, digest.ToString(), Platform: pulled.Image.Platform?.ToString(), Bytes: pulled.Image.Size);
                screen.Result(CliJson.Line(line));
                return ExitCodes.Success;
            }

            if (!session.IsQuiet) screen.Note(pulled.IsNew ? $"Status: downloaded newer image for {name}" : $"Status: image is up to date for {name}");
            screen.Result(name.At(digest).Canonical);
            return ExitCodes.Success;
        });
    }
}
