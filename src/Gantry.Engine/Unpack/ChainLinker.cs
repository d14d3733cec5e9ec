using Gantry.Engine.Posix;
using Gantry.Layers;

namespace Gantry.Engine.Unpack;

/// <summary>A layer that was unpacked alone. <paramref name="Name"/> is for messages: its digest.</summary>
public sealed record ChainLayer(string Directory, LayerNotes Notes, string Name);

/// <summary>
/// What a mount of the chain needs beside the layers. <paramref name="IsNeeded"/>: the corrections go on top of the layers; otherwise their directory stayed empty.
/// <paramref name="Lowest"/>: layers below this index are hidden altogether and not mounted.
/// </summary>
public sealed record ChainLinks(bool IsNeeded, int Lowest);

/// <summary>
/// Corrects a chain of layers that were each unpacked alone, so that the overlay of the corrections and the layers shows what unpacking one onto the other gives.
/// Three things need it: directories without an entry have the metadata of a layer below; hard links reach files of layers below; and a directory that one
/// layer alone has shows its whiteouts unless something is merged into it. The layers stay as they are, other images share them.
/// </summary>
public sealed class ChainLinker(IReadOnlyList<ChainLayer> layers)
{
    /// <summary>
    /// Fills an empty directory. Throws LayerException(Link) for a hard link whose target is in no layer below, naming the layers; EngineException(Local) for
    /// what the machine refuses, and then the directory holds a part.
    /// </summary>
    public ChainLinks Link(string emptyDirectory)
    {
        var open = new List<OpenLayer>(layers.Count);
        try
        {
            foreach (var layer in layers) open.Add(new OpenLayer(layer));
            var view = new ChainView(open, open.Count);
            var lowest = view.Find([]) is ViewEntry.Directory root ? root.Layers[^1] : 0;

            var groups = new CrossLinkGroups(open, view).Find();
            var directories = FindDirectories(open, view);
            if (groups.Count == 0 && directories.Count == 0) return new ChainLinks(false, lowest);
            using var writer = new CorrectionWriter(emptyDirectory, open, view);
            writer.Write(directories, groups);
            return new ChainLinks(true, lowest);
        }
        finally
        {
            foreach (var layer in open) layer.Dispose();
        }
    }

    private static List<byte[]> FindDirectories(List<OpenLayer> open, ChainView view)
    {
        var found = new List<byte[]>();
        for (var index = 0; index < open.Count; index++)
        {
            foreach (var path in open[index].Notes.ImpliedDirectories)
            {
                if (view.Find(path.Bytes) is ViewEntry.Directory directory && directory.Layers[0] == index && directory.Source is not null) found.Add(path.Bytes);
            }

            foreach (var path in open[index].Notes.RemovalDirectories)
            {
                if (view.Find(path.Bytes) is ViewEntry.Directory { Layers: [var only] } && only == index) found.Add(path.Bytes);
            }
        }

        return found;
    }
}
