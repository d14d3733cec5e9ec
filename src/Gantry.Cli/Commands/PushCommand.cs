using System.CommandLine;
using Gantry.Cli.Output;
using Gantry.Engine;
using Gantry.Engine.Archives;
using Gantry.Engine.Remote;

namespace Gantry.Cli.Commands;

internal static class PushCommand
{
    public static Command Create(Screen screen)
    {
        var layout = new Argument<string>("LAYOUT") { Description = "Folder of an OCI layout, or an oci-archive or docker archive. FILE:NAME takes the image of that name out of several." };
        var reference = Words.Reference("Where to: localhost:5000/app:1.0");
        return new DocumentedCommand("push", "Push an image from a layout or archive to a registry.")
        {
            Details = """
                Everything that the image is goes as it is, an index with all its platforms (or the one of --platform). What the registry has is not sent. The tag changes last.

                An image of the store is pushed by way of 'gantry save'; from one registry to another go with 'gantry copy'.
                """,
            Examples =
            [
                ("gantry push ./layout localhost:5000/app:1.0", "an OCI layout"),
                ("gantry push images.tar:app:1.0 ghcr.io/owner/app:1.0", "one of several"),
                ("gantry save --format oci-dir -o l debian && gantry push l localhost:5000/debian", "out of the store"),
            ],
            Arguments = { layout, reference },
        }.Runs(screen, async (session, ct) =>
        {
            var name = ImageName.Parse(session.Parsed.GetValue(reference));
            var (path, wanted) = Split(session.Parsed.GetValue(layout)!);
            using var archive = ImageArchive.Open(path, ct);
            var image = Choose(archive, wanted);
            var transfer = new ImageTransfer(session.OpenRegistries().Open(name), new TransferSteps(session.Progress));
            var digest = await transfer.PushAsync(archive, image, name.Reference, session.Platform, ct);
            Transfers.Report(session, "pushed", name, digest);
            return ExitCodes.Success;
        });
    }

    private static (string Path, string? Name) Split(string text)
    {
        if (Path.Exists(text)) return (text, null);
        for (var colon = text.IndexOf(':', StringComparison.Ordinal); colon > 0; colon = text.IndexOf(':', colon + 1))
            if (Path.Exists(text[..colon])) return (text[..colon], text[(colon + 1)..]);
        return (text, null);
    }

    private static ArchivedImage Choose(ImageArchive archive, string? wanted)
    {
        var fitting = archive.Images.Where(image => wanted is null || IsCalled(image.Name, wanted)).ToList();
        if (fitting.Count == 1 || (fitting.Count > 1 && fitting.All(image => image.Reference.Digest == fitting[0].Reference.Digest))) return fitting[0];
        var names = string.Join(", ", archive.Images.Select(image => Shown.Text(image.Name ?? image.Reference.Digest.ToString())).Take(20));
        throw fitting.Count == 0
            ? new EngineException(EngineFault.NotFound, archive.Images.Count == 0 ? "the layout is empty" : $"there is no {Shown.Text(wanted ?? "image")} in it, only {names}")
            : new EngineException(EngineFault.Usage, $"there are several images in it, say which: {names}");
    }

    private static bool IsCalled(string? name, string wanted) => name == wanted
        || (name is not null && ImageName.TryParse(name, out var one) && ImageName.TryParse(wanted, out var other) && one == other);
}
