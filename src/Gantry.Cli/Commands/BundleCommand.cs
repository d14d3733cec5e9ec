using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Engine.Bundles;

namespace Gantry.Cli.Commands;

internal static class BundleCommand
{
    public static Command Create(Screen screen)
    {
        var reference = Words.Reference();
        var folder = new Argument<string>("DIR") { Description = "Where to. Is made where it is missing, and must be empty." };
        var flat = new Option<bool>("--flat") { Description = "Unpack the layers into rootfs instead of mounting them. Always so without root." };
        var terminal = new Option<bool>("--tty", "-t") { Description = "The runtime gives the process a terminal." };
        var words = new ContainerWords();
        var command = new DocumentedCommand("bundle", "Make an OCI runtime bundle of an image.")
        {
            Details = """
                Writes DIR/config.json for runc, crun or another runtime: the image's entrypoint, command, environment, user, folder and labels, docker's default capabilities,
                masked and read-only paths. DIR/rootfs is the image's layers, mounted by overlayfs with changes going to DIR/upper, or with --flat a tree of its own.

                The mount stays until 'umount DIR/rootfs' or the machine's end. Its layers stay in the store until DIR is removed, also without the image; do not move DIR. A flat
                bundle needs nothing.

                Not taken over: the image's volumes (what is written there goes where everything goes) and exposed ports (an annotation). No seccomp profile is set.
                """,
            Examples =
            [
                ("gantry bundle debian:12 b && runc run -b b test", "then: umount b/rootfs"),
                ("gantry bundle --flat --network host -u nobody alpine b", "a bundle that can be moved"),
            ],
            Arguments = { reference, folder },
            Options = { flat, terminal },
        };
        foreach (var option in words.All) command.Add(option);
        return command.Runs(screen, async (session, ct) =>
        {
            var options = words.Read(session.Parsed) with { Terminal = session.Parsed.GetValue(terminal) };
            var path = Path.GetFullPath(session.Parsed.GetValue(folder)!);
            var store = await session.OpenStoreAsync(ct);
            var name = await LocalNames.OfAsync(store, session.Parsed.GetValue(reference)!, ct);
            if (session.Parsed.GetValue(flat) || options.Rootless is not null)
            {
                var unpacker = new FlatUnpacker(store, store.Find(name) is null || session.Platform is not null ? session.OpenRegistries() : null, session.PullOptions);
                var unpacked = await ImageBundle.MakeFlatAsync(unpacker, name, path, options, new LayerSteps(session.Progress), ct);
                session.EndProgress();
                foreach (var warning in unpacked.Warnings) session.Warn(warning);
            }
            else
            {
                var image = await Pulls.EnsureAsync(session, store, name, ct);
                await ImageBundle.MakeStackedAsync(store, image, path, options, ct);
            }

            if (session.IsJson) screen.Result(CliJson.Line(new ResultLine("bundled", name.Canonical, Path: path)));
            else if (!session.IsQuiet) screen.Note($"Bundle of {name} in {Shown.Text(path)}");
            return ExitCodes.Success;
        });
    }
}
