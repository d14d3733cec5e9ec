using System.CommandLine;
using Gantry.Cli.Output;

namespace Gantry.Cli.Commands;

internal static class ImagesCommand
{
    public static Command Create(Screen screen)
    {
        var filter = new Argument<string?>("NAME") { Description = "Only images whose name contains this.", Arity = ArgumentArity.ZeroOrOne };
        var digests = new Option<bool>("--digests") { Description = "Show the digest that each name points at." };
        return new DocumentedCommand("images", "List the images in the local store.")
        {
            Details = "By name. IMAGE ID is the digest of the config, as docker has it, SIZE what the layers take compressed. With -q the names alone, which completion uses.",
            Examples =
            [
                ("gantry images", "all of them"),
                ("gantry images --digests debian", "those with debian in their name, with digests"),
                ("gantry images -q | xargs -n1 gantry pull", "bring all up to date"),
            ],
            Arguments = { filter },
            Options = { digests },
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

            var rows = new List<string[]>();
            var withDigests = session.Parsed.GetValue(digests);
            foreach (var image in images)
            {
                var config = await store.ReadConfigAsync(image, ct);
                var id = config is null ? null : (await store.ReadManifestAsync(image, ct)).Config?.Digest;
                var tagless = image.Name.ToString();
                var repository = image.Name.Tag is { } tag && image.Name.Digest is null ? tagless[..^(tag.ToString().Length + 1)] : tagless.Split('@')[0];
                if (session.IsJson)
                {
                    var line = new ImageLine(image.Name.Canonical, repository, image.Name.Tag?.ToString(), image.Top.Digest.ToString(), id?.ToString(),
                        image.Platform?.ToString(), config?.Created, image.Size);
                    screen.Result(CliJson.Line(line));
                    continue;
                }

                string[] cells = [repository, image.Name.Digest is null ? image.Name.Tag!.Value.ToString() : "<none>"];
                if (withDigests) cells = [.. cells, image.Top.Digest.ToString()];
                rows.Add([.. cells, id is { } known ? Shown.Short(known) : "<artifact>", Shown.Text(image.Platform?.ToString() ?? "-", 24),
                    Shown.Age(config?.Created, session.Time), Shown.Size(image.Size)]);
            }

            string[] heads = withDigests ? ["REPOSITORY", "TAG", "DIGEST"] : ["REPOSITORY", "TAG"];
            if (!session.IsJson) Table.Print(screen, [.. heads, "IMAGE ID", "PLATFORM", "CREATED", "SIZE"], rows);
            return ExitCodes.Success;
        });
    }
}
