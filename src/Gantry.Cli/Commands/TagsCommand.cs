using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine.Remote;

namespace Gantry.Cli.Commands;

internal static class TagsCommand
{
    public static Command Create(Screen screen)
    {
        var reference = new Argument<string>("REPOSITORY") { Description = "Repository: debian, localhost:5000/app. A tag is ignored." };
        return new DocumentedCommand("tags", "List the tags of a repository at its registry.")
        {
            Details = "All of them, a line each, in the registry's order (by name, mostly).",
            Examples = [("gantry tags debian", "at docker.io"), ("gantry tags localhost:5000/app | sort -V | tail -n1", "the newest version")],
            Arguments = { reference },
        }.Runs(screen, async (session, ct) =>
        {
            var name = ImageName.Parse(session.Parsed.GetValue(reference));
            var tags = await session.OpenRegistries().Open(name).ListTagsAsync(ct);
            foreach (var tag in tags)
                screen.Result(session.IsJson ? CliJson.Line(new TagLine(name.At(tag).Canonical, tag.ToString())) : tag.ToString());
            return ExitCodes.Success;
        });
    }
}
