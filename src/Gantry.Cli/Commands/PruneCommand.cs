using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine.Bundles;

namespace Gantry.Cli.Commands;

internal static class PruneCommand
{
    public static Command Create(Screen screen) => new DocumentedCommand("prune", "Remove what no image uses: leftovers of failed pulls, ended containers.")
    {
        Details = "Images stay. What another gantry process is fetching or running stays too, and what a bundle has mounted. Containers that ended without --rm go, with all they wrote.",
        Examples = [("gantry prune", "and how much it brought")],
    }.Runs(screen, async (session, ct) =>
    {
        var store = await session.OpenStoreAsync(ct);
        var containers = ContainerFolder.Prune(store.Root);
        var removed = await store.PruneAsync(ct);
        if (session.IsJson) screen.Result(CliJson.Line(new ResultLine("pruned", Bytes: removed.Bytes)));
        else screen.Result($"Removed {Shown.Count(removed.Blobs, "blob")} ({Shown.Size(removed.Bytes)}), {Shown.Count(removed.Layers, "layer")}, {Shown.Count(containers, "container")}");
        return ExitCodes.Success;
    });
}
