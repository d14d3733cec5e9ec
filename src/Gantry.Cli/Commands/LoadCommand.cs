using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Engine.Archives;
using Gantry.Engine.Remote;
using Gantry.Oci;

namespace Gantry.Cli.Commands;

internal static class LoadCommand
{
    public static Command Create(Screen screen)
    {
        var path = new Argument<string?>("FILE") { Description = "Archive, or folder of a layout. Default: standard input.", Arity = ArgumentArity.ZeroOrOne };
        var input = new Option<string?>("--input", "-i") { Description = "The same as FILE, as docker load has it.", HelpName = "FILE" };
        var called = new Option<string?>("--name") { Description = "What the image is to be called, for an archive of one.", HelpName = "REF" };
        return new DocumentedCommand("load", "Take images from an archive into the store.")
        {
            Details = """
                Reads what docker save, podman save, gantry save and skopeo write: OCI layouts (folders), oci-archives and docker archives, compressed or not. Every digest is compared,
                and layers are unpacked as in a pull.

                An image without a whole name is called localhost/FILE:TAG. What comes through a pipe, or compressed, is written to $TMPDIR first.
                """,
            Examples =
            [
                ("gantry load debian.tar", "whatever is in it"),
                ("docker save app | gantry load", "from docker"),
                ("gantry load --name app:1.0 ./layout", "under a name of one's own"),
            ],
            Arguments = { path },
            Options = { input, called },
        }.Runs(screen, async (session, ct) =>
        {
            var file = session.Parsed.GetValue(path) ?? session.Parsed.GetValue(input);
            if (file is null or "-" && !Console.IsInputRedirected) throw new EngineException(EngineFault.Usage, "nothing comes from standard input, which is a terminal: name a file");
            await using var pipe = Screen.OpenInput();
            using var archive = file is null or "-" ? ImageArchive.Open(pipe, ct) : ImageArchive.Open(file, ct);
            if (archive.Images.Count == 0) throw new EngineException(EngineFault.NotFound, "there is no image in the archive");
            var given = session.Parsed.GetValue(called) is { } text ? ImageName.Parse(text) : null;
            if (given is not null && archive.Images.Count > 1) throw new EngineException(EngineFault.Usage, $"--name is for one image, the archive has {archive.Images.Count}");
            if (given?.Digest is not null) throw new EngineException(EngineFault.Usage, "a digest cannot be given to an image, only a name and a tag");

            var store = await session.OpenStoreAsync(ct);
            var load = new ImageLoad(store, session.PullOptions);
            foreach (var image in archive.Images)
            {
                var name = given ?? NameOf(image, file);
                var loaded = await load.LoadAsync(archive, image, name, new LayerSteps(session.Progress, "Loading"), ct);
                session.EndProgress();
                foreach (var warning in loaded.Warnings) session.Warn(warning);
                var digest = loaded.Image.Top.Digest;
                if (session.IsJson) screen.Result(CliJson.Line(new ResultLine("loaded", name.Canonical, digest.ToString())));
                else screen.Result(session.IsQuiet ? name.ToString() : $"Loaded image: {name}");
            }

            await Settling.BeginAsync(session, store);
            return ExitCodes.Success;
        });
    }

    /// <summary>The archive's word where that is a whole name; a bare tag, as layouts have them, belongs to a repository of this machine named after the file.</summary>
    private static ImageName NameOf(ArchivedImage image, string? file)
    {
        if (image.Name is { } said && (said.Contains('/', StringComparison.Ordinal) || said.Contains(':', StringComparison.Ordinal)) && ImageName.TryParse(said, out var name))
            return name.Digest is null ? name : name.At(name.Tag ?? TagName.Parse("latest"));
        var stem = file is null or "-" ? "loaded" : Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(Path.GetFullPath(file)));
        var word = new string([.. stem.ToLowerInvariant().Where(c => char.IsAsciiLetterOrDigit(c) || c == '-')]).Trim('-');
        var tag = image.Name is { } bare && TagName.TryParse(bare, out var known) ? known : TagName.Parse("latest");
        return ImageName.Parse($"localhost/{(word.Length == 0 ? "loaded" : word)}:{tag}");
    }
}
