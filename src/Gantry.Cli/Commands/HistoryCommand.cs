using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Engine.Archives;

namespace Gantry.Cli.Commands;

internal static class HistoryCommand
{
    private const int CommandWidth = 45;

    public static Command Create(Screen screen)
    {
        var reference = Words.Reference("Image of the store.");
        var whole = new Option<bool>("--no-trunc") { Description = "Show commands and ids in full." };
        return new DocumentedCommand("history", "Show how an image was made, layer by layer.")
        {
            Details = """
                Newest first, with the columns of docker history. IMAGE is known of the newest step alone, as of every image that was pulled. SIZE is what the layer's files take; of
                an image that is not unpacked, the layer's blob.
                """,
            Examples = [("gantry history debian:12", "commands cut to fit"), ("gantry history --no-trunc debian:12", "in full"), ("gantry history -q debian:12", "ids alone")],
            Arguments = { reference },
            Options = { whole },
        }.Runs(screen, async (session, ct) =>
        {
            var store = await session.OpenStoreAsync(ct);
            var image = Pulls.Find(store, await LocalNames.OfAsync(store, session.Parsed.GetValue(reference)!, ct));
            var config = await store.ReadConfigAsync(image, ct) ?? throw new EngineException(EngineFault.Unsupported, $"{image.Name} is not a container image");
            var manifest = await store.ReadManifestAsync(image, ct);
            var isWhole = session.Parsed.GetValue(whole);

            // A history may be missing, or of another length than the layers: the layers are what counts.
            var unpacked = ImageSizes.Unpacked(store, image);
            var layers = new Queue<(long Size, long Stored)>(manifest.Layers.Select((layer, i) => (unpacked?[i] ?? layer.Size, layer.Size)));
            var steps = config.History.Select(step => (Step: step, Sizes: step.IsEmptyLayer || !layers.TryDequeue(out var sizes) ? default : sizes)).Reverse().ToList();
            var rows = new List<string[]>();
            foreach (var (step, (size, stored)) in steps)
            {
                var id = rows.Count == 0 ? manifest.Config!.Digest.ToString() : null;
                if (session.IsJson) screen.Result(CliJson.Line(new HistoryLine(id, step.Created, step.CreatedBy, size, stored, step.Comment)));
                rows.Add([
                    id is null ? "<missing>" : isWhole ? id : Shown.Short(manifest.Config!.Digest),
                    Shown.Age(step.Created, session.Time),
                    isWhole ? Shown.Whole(step.CreatedBy) : Shown.Text(step.CreatedBy, CommandWidth),
                    Shown.Size(size),
                    isWhole ? Shown.Whole(step.Comment) : Shown.Text(step.Comment, 40)]);
            }

            if (session.IsJson) return ExitCodes.Success;
            if (session.IsQuiet) foreach (var row in rows) screen.Result(row[0]);
            else Table.Print(screen, ["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"], rows);
            return ExitCodes.Success;
        });
    }
}
