using System.Text;
using Gantry.Engine.Posix;
using Gantry.Layers;

namespace Gantry.Engine.Unpack;

/// <summary>Writes the uppermost layer of a chain: directories with the metadata that they should show, and files with all their names.</summary>
internal sealed class CorrectionWriter : IDisposable
{
    private const long MaxBytes = 32 << 20;

    private readonly IReadOnlyList<OpenLayer> _layers;
    private readonly ChainView _view;
    private readonly Descriptor _root;
    private readonly HashSet<byte[]> _made = new(ByteNames.Comparer);
    private readonly List<byte[]> _inOrder = [];
    private long _bytes;

    public CorrectionWriter(string directory, IReadOnlyList<OpenLayer> layers, ChainView view)
    {
        (_layers, _view) = (layers, view);
        _root = new Descriptor(PosixFault.Check(Kernel.OpenDirectory(directory), "open", Encoding.UTF8.GetBytes(directory)));
    }

    public void Write(IEnumerable<byte[]> directories, IEnumerable<LinkGroup> groups)
    {
        Make([]);
        foreach (var path in directories) Make(path);
        foreach (var group in groups) Copy(group);

        // Parents were made first: from the end, nothing in a directory changes after its time is set.
        for (var index = _inOrder.Count - 1; index >= 0; index--) Finish(_inOrder[index]);
    }

    public void Dispose() => _root.Dispose();

    private void Make(byte[] path)
    {
        if (!_made.Add(path)) return;
        if ((_bytes += path.Length + LayerPath.Overhead) > MaxBytes) throw new LayerException(LayerFault.TooLarge, "the layers need too many directories to be corrected");
        if (path.Length > 0)
        {
            var parent = ByteNames.DirectoryOf(path, out var name).ToArray();
            Make(parent);
            using var directory = Open(parent);
            PosixFault.Check(Kernel.MakeDirectory(directory.Number, name, 0x1C0), "mkdir", path);
        }

        _inOrder.Add(path);
    }

    private void Copy(LinkGroup group)
    {
        var first = group.Names[0];
        var firstParent = ByteNames.DirectoryOf(first, out var firstName).ToArray();
        Make(firstParent);
        using var to = Open(firstParent);
        using var from = _layers[group.File.Layer].OpenDirectory(ByteNames.DirectoryOf(group.File.Path, out var sourceName));
        FileCopy.Copy(from.Number, sourceName, to.Number, firstName, group.File.Status);
        foreach (var other in group.Names.Skip(1))
        {
            var parent = ByteNames.DirectoryOf(other, out var name).ToArray();
            Make(parent);
            using var directory = Open(parent);
            PosixFault.Check(Kernel.Link(to.Number, firstName, directory.Number, name), "link", other);
        }
    }

    private void Finish(byte[] path)
    {
        var shown = (ViewEntry.Directory)_view.Find(path)!;
        var source = _layers[shown.Source ?? shown.Layers[0]];
        using var from = source.OpenDirectory(path);
        using var to = Open(path);
        PosixFault.Check(Kernel.Status(from.Number, out var status), "stat", path);
        MetadataCopy.Directory(from.Number, status, to.Number, source.OpaqueAttribute);
    }

    private Descriptor Open(byte[] path) => new(PosixFault.Check(Kernel.OpenDirectoryBeneath(_root.Number, path), "open", path));
}
