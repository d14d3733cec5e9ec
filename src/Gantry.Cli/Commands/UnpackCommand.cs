using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;

namespace Gantry.Cli.Commands;

internal static class UnpackCommand
{
    public static Command Create(Screen screen)
    {
        var reference = Words.Reference();
        var folder = new Argument<string>("DIR") { Description = "Where to. Is made where it is missing, and must be empty." };
        var noDevices = new Option<bool>("--no-devices") { Description = "Refuse layers with device nodes in them." };
        var keepLinks = new Option<bool>("--keep-dirlinks") { Description = "Where a layer has a directory and those below a link to one, keep the link and write to its target." };
        var strict = new Option<bool>("--strict") { Description = "Refuse layers with anomalies that are warnings otherwise." };
        return new DocumentedCommand("unpack", "Unpack an image into a folder as a root filesystem.")
        {
            Details = """
                All layers in order, whiteouts applied: what a container of the image would see. Layers come from the store, or are fetched into it. As root owners, modes,
                devices and extended attributes are the image's; without root the files are yours and devices are left out, with a warning.

                After a failure the folder is as it was before.
                """,
            Examples = [("gantry unpack debian:12 rootfs", "then: chroot rootfs"), ("gantry unpack --platform linux/arm64 alpine sysroot", "of another machine")],
            Arguments = { reference, folder },
            Options = { noDevices, keepLinks, strict },
        }.Runs(screen, async (session, ct) =>
        {
            var options = session.PullOptions with
            {
                Unpacking = new()
                {
                    Devices = !session.Parsed.GetValue(noDevices),
                    KeepDirectoryLinks = session.Parsed.GetValue(keepLinks),
                    Strict = session.Parsed.GetValue(strict),
                },
            };
            var store = await session.OpenStoreAsync(ct);
            var name = await LocalNames.OfAsync(store, session.Parsed.GetValue(reference)!, ct);
            var unpacker = new FlatUnpacker(store, store.Find(name) is null || session.Platform is not null ? session.OpenRegistries() : null, options);
            var path = Path.GetFullPath(session.Parsed.GetValue(folder)!);
            var image = await unpacker.UnpackAsync(name, path, new LayerSteps(session.Progress), ct);
            session.EndProgress();
            foreach (var warning in image.Warnings) session.Warn(warning);
            if (session.IsJson)
                screen.Result(CliJson.Line(new ResultLine("unpacked", name.Canonical, image.Manifest.Digest.ToString(), path)));
            else if (!session.IsQuiet) screen.Note($"Unpacked {name} to {Shown.Text(path)}");
            return ExitCodes.Success;
        });
    }
}
