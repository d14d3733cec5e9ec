using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Engine.Archives;
using Gantry.Engine.Images;

namespace Gantry.Cli.Commands;

internal static class SaveCommand
{
    private const string Oci = "oci-archive", Docker = "docker-archive", Folder = "oci-dir";

    public static Command Create(Screen screen)
    {
        var references = Words.References(ArgumentArity.OneOrMore, "Images of the store.");
        var output = new Option<string?>("--output", "-o") { Description = "File to write to instead of standard output; the folder of oci-dir.", HelpName = "FILE" };
        var format = new Option<string>("--format") { Description = $"{Oci}, {Docker} or {Folder}.", HelpName = "FORMAT", DefaultValueFactory = _ => Oci };
        var platforms = new Option<bool>("--all-platforms") { Description = "Write an index with all its platforms; what the store does not have comes from the registry." };
        format.AcceptOnlyFromAmong(Oci, Docker, Folder);
        return new DocumentedCommand("save", "Write images of the store to an archive.")
        {
            Details = """
                oci-archive: an OCI layout in one tar, with docker's manifest.json beside it, so that docker load, podman load, skopeo and ctr take the same file; manifests and layers are those
                that were pulled, digests and all. docker-archive: what docker save wrote before it knew layouts, layers uncompressed. oci-dir: a layout in a folder.

                An image is its platform that was pulled. With --all-platforms it is everything that the name points at (not in a docker-archive), digest and all; nothing more is
                kept in the store for that.

                Every byte is compared with its digest on the way. A file appears under its name only when it is whole.
                """,
            Examples =
            [
                ("gantry save -o debian.tar debian:12", "one image"),
                ("gantry save debian:12 nginx | ssh host docker load", "to another machine"),
                ("gantry save --all-platforms -o alpine.tar alpine", "for other machines too"),
                ("gantry save --format oci-dir -o layout debian:12", "a folder"),
            ],
            Arguments = { references },
            Options = { output, format, platforms },
        }.Runs(screen, async (session, ct) =>
        {
            var path = session.Parsed.GetValue(output);
            var form = session.Parsed.GetValue(format);
            if (path is null or "-" && form == Folder) throw new EngineException(EngineFault.Usage, "oci-dir needs -o FOLDER");
            if (session.IsJson && path is null or "-") throw new EngineException(EngineFault.Usage, "--json and an archive cannot both go to standard output: use -o FILE");
            var store = await session.OpenStoreAsync(ct);
            var images = new List<StoredImage>();
            foreach (var word in session.Parsed.GetValue(references)!) images.Add(Pulls.Find(store, await LocalNames.OfAsync(store, word, ct)));
            var registries = session.Parsed.GetValue(platforms) ? session.OpenRegistries() : null;
            if (form == Folder) await ImageSave.WriteFolderAsync(store, images, path!, registries, ct);
            else
            {
                var archive = form == Docker ? ArchiveFormat.DockerArchive : ArchiveFormat.OciArchive;
                await OutputFile.WriteAsync(screen, path, stream => ImageSave.WriteAsync(store, images, archive, stream, registries, ct));
            }

            if (session.IsJson) screen.Result(CliJson.Line(new ResultLine("saved", string.Join(' ', images.Select(image => image.Name.Canonical)), Path: path)));
            return ExitCodes.Success;
        });
    }
}
