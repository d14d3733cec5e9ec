using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Engine.Remote;

namespace Gantry.Cli.Commands;

internal static class RmiCommand
{
    public static Command Create(Screen screen)
    {
        var references = Words.References(ArgumentArity.OneOrMore, "Images of the store.");
        return new DocumentedCommand("rmi", "Remove images from the local store.")
        {
            Details = """
                Removes the names, and of what they led to all that no other image, no bundle and no gantry process is using. What a bundle has mounted ('gantry bundle' without
                --flat) stays until its folder is removed; 'gantry prune' takes it then.
                """,
            Examples = [("gantry rmi debian:12", "one image"), ("gantry images -q | xargs gantry rmi", "all of them")],
            Arguments = { references },
        }.Runs(screen, async (session, ct) =>
        {
            var store = await session.OpenStoreAsync(ct);
            var missing = new List<string>();
            foreach (var name in session.Parsed.GetValue(references)!.Select(ImageName.Parse).ToList())
            {
                if (await store.RemoveAsync(name, ct) is not { } removed)
                {
                    missing.Add(name.ToString());
                    continue;
                }

                if (session.IsJson) screen.Result(CliJson.Line(new ResultLine("removed", name.Canonical, Bytes: removed.Bytes)));
                else screen.Result(session.IsQuiet ? name.ToString() : $"Removed: {name} ({Shown.Count(removed.Layers, "layer")}, {Shown.Size(removed.Bytes)} of blobs)");
            }

            return missing.Count == 0 ? ExitCodes.Success
                : throw new EngineException(EngineFault.NotFound, $"there is no image {string.Join(", ", missing)} in the store");
        });
    }
}
