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
        var force = new Option<bool>("--force", "-f") { Description = "Remove all names of an id, and say nothing of images that are not there." };
        return new DocumentedCommand("rmi", "Remove images from the local store.")
        {
            Details = """
                REF is a name, or an id as 'gantry images' shows it if that has one name alone. Removes the names, and of what they led to all that no other image, no bundle and no
                gantry process is using. What a bundle has mounted ('gantry bundle' without --flat) stays until its folder is removed; 'gantry prune' takes it then.
                """,
            Examples = [("gantry rmi debian:12", "one image"), ("gantry images -q | xargs gantry rmi", "all of them")],
            Arguments = { references },
            Options = { force },
        }.Runs(screen, async (session, ct) =>
        {
            var store = await session.OpenStoreAsync(ct);
            var isForced = session.Parsed.GetValue(force);
            var missing = new List<string>();
            foreach (var word in session.Parsed.GetValue(references)!)
            {
                foreach (var name in await NamesAsync(store, word, isForced, ct)) await RemoveAsync(name);
            }

            return missing.Count == 0 || isForced ? ExitCodes.Success
                : throw new EngineException(EngineFault.NotFound, $"there is no image {string.Join(", ", missing)} in the store");

            async Task RemoveAsync(ImageName name)
            {
                if (await store.RemoveAsync(name, ct) is not { } removed)
                {
                    missing.Add(name.ToString());
                    return;
                }

                if (session.IsJson) screen.Result(CliJson.Line(new ResultLine("removed", name.Canonical, Bytes: removed.Bytes)));
                else screen.Result(session.IsQuiet ? name.ToString() : $"Removed: {name} ({Shown.Count(removed.Layers, "layer")}, {Shown.Size(removed.Bytes)} of blobs)");
            }
        });
    }

    private static async Task<IReadOnlyList<ImageName>> NamesAsync(ImageStore store, string word, bool areAll, CancellationToken ct)
    {
        if (ImageName.TryParse(word, out var name) && store.Find(name) is not null) return [name];
        var names = (await LocalNames.ByIdAsync(store, word, ct)).Select(image => image.Name).ToList();
        if (names.Count > 1 && !areAll)
            throw new EngineException(EngineFault.Usage, $"{Shown.Text(word)} has several names ({string.Join(", ", names)}): say which, or --force for all");
        return names.Count > 0 ? names : [ImageName.Parse(word)];
    }
}
