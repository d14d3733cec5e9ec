using System.Text;
using Gantry.Engine.Posix;

namespace Gantry.Engine.Unpack;

/// <summary>A layer's directory and notes, open for questions. Nobody changes the directory meanwhile.</summary>
internal sealed class OpenLayer : IDisposable
{
    private readonly Descriptor _root;
    private readonly FlatView _tree;
    private readonly LayerNotes _notes;

    public OpenLayer(ChainLayer layer)
    {
        (Name, _notes) = (layer.Name, layer.Notes);
        _root = new Descriptor(PosixFault.Check(Kernel.OpenDirectory(layer.Directory), "open", Encoding.UTF8.GetBytes(layer.Directory)));
        _tree = new FlatView(_root.Number);
        foreach (var path in _notes.ImpliedDirectories) Implied.Add(path.Bytes);
        foreach (var link in _notes.CrossLinks) Links[link.Name.Bytes] = link.Target.Bytes;
    }

    public string Name { get; }

    public int Root => _root.Number;

    public LayerNotes Notes => _notes;

    public HashSet<byte[]> Implied { get; } = new(ByteNames.Comparer);

    public Dictionary<byte[], byte[]> Links { get; } = new(ByteNames.Comparer);

    public ReadOnlySpan<byte> OpaqueAttribute => _notes.UsesUserAttributes ? "user.overlay.opaque"u8 : "trusted.overlay.opaque"u8;

    public bool TryStatus(byte[] path, out FileStatus status) =>
        path.Length > 0 ? _tree.TryStatus(path, out status) : PosixFault.Check(Kernel.Status(_root.Number, out status), "stat", path) == 0;

    public byte[] ReadLink(byte[] path) => _tree.ReadLink(path);

    public bool IsOpaque(byte[] path)
    {
        if (path.Length == 0) return _notes.HidesLayersBelow;
        using var directory = OpenDirectory(path);
        Span<byte> value = stackalloc byte[1];
        return Kernel.GetAttribute(directory.Number, OpaqueAttribute, value) == 1 && value[0] == 'y';
    }

    public Descriptor OpenDirectory(ReadOnlySpan<byte> path) => new(PosixFault.Check(Kernel.OpenDirectoryBeneath(_root.Number, path), "open", path));

    public void Dispose() => _root.Dispose();
}
