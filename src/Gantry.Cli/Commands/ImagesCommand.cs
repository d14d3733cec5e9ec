using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Engine.Archives;
using Gantry.Engine.Images;
using Gantry.Oci;

namespace Gantry.Cli.Commands;

internal static class ImagesCommand
{
    public static Command Create(Screen screen)
    {
        var filter = new Argument<string?>("NAME") { Description = "Only images whose name contains this.", Arity = ArgumentArity.ZeroOrOne };
        var digests = new Option<bool>("--digests") { Description = "Show the digest that each name points at." };
        var platforms = new Option<bool>("--platforms") { Description = "Show the platform that each image is for." };
        return new DocumentedCommand("images", "List the images in the local store.")
        {
            Details = """
                With docker's columns, the newest first. IMAGE ID is the digest of the config, SIZE what the files of its layers take, whether other images share them or not; of what
                is not unpacked, its blobs. Wherever an image of the store is asked for, its id or the first digits of it will do.

                With -q the names alone, which any command takes.
                """,
            Examples =
            [
                ("gantry images", "all of them"),
                ("gantry images --digests debian", "those with debian in their name, with digests"),
                ("gantry images -q | xargs -n1 gantry pull", "bring all up to date"),
            ],
            Arguments = { filter },
            Options = { digests, platforms },
        }.Runs(screen, async (session, ct) =>
        {
            var store = await session.OpenStoreAsync(ct);
            var wanted = session.Parsed.GetValue(filter);
            var images = store.List().Where(image => wanted is null || image.Name.Canonical.Contains(wanted, StringComparison.OrdinalIgnoreCase)).ToList();
            if (session.IsQuiet && !session.IsJson)
            {
                foreach (var image in images) screen.Result(image.Name.ToString());
                return ExitCodes.Success;
            }

            var listed = new List<ImageLine>();
            foreach (var image in images) listed.Add(await LineAsync(store, image, ct));
            var (withDigests, withPlatforms) = (session.Parsed.GetValue(digests), session.Parsed.GetValue(platforms));
            var rows = new List<string[]>();
            foreach (var line in listed.OrderByDescending(line => line.Created ?? DateTimeOffset.MinValue).ThenBy(line => line.Name, StringComparer.Ordinal))
            {
                if (session.IsJson) screen.Result(CliJson.Line(line));
                rows.Add([line.Repository, line.Tag ?? "<none>", .. withDigests ? [line.Digest] : Array.Empty<string>(),
                    line.ImageId is { } id ? Shown.Short(Digest.Parse(id)) : "<artifact>", .. withPlatforms ? [Shown.Text(line.Platform ?? "-", 24)] : Array.Empty<string>(),
                    Shown.Age(line.Created, session.Time), Shown.Size(line.Size)]);
            }

            if (session.IsJson) return ExitCodes.Success;
            Table.Print(screen, ["REPOSITORY", "TAG", .. withDigests ? ["DIGEST"] : Array.Empty<string>(), "IMAGE ID",
                .. withPlatforms ? ["PLATFORM"] : Array.Empty<string>(), "CREATED", "SIZE"], rows);
            return ExitCodes.Success;
        });
    }

    private static async Task<ImageLine> LineAsync(ImageStore store, StoredImage image, CancellationToken ct)
    {
        var config = await store.ReadConfigAsync(image, ct);
        var id = await LocalNames.IdAsync(store, image, ct);
        var tag = image.Name.Digest is null ? image.Name.Tag?.ToString() : null;
        var name = image.Name.ToString();
        var repository = tag is null ? name.Split('@')[0] : name[..^(tag.Length + 1)];
        return new ImageLine(image.Name.Canonical, repository, tag, image.Top.Digest.ToString(), id?.ToString(), image.Platform?.ToString(), config?.Created,
            ImageSizes.Unpacked(store, image)?.Sum() ?? image.Size, image.Size);
    }
}
