using Gantry.Engine.Content;
using Gantry.Engine.Unpack;
using Gantry.Oci;

namespace Gantry.Engine.Snapshots;

/// <summary>
/// Unpacked layers by diffID. One is made in staging, which nobody but its owner may enter, under a lock that dies with the process, and becomes visible by
/// one rename once everything about it was found right.
/// </summary>
internal sealed class LayerStore(StoreLayout layout, Durability durability)
{
    private const string Files = "fs", Notes = "notes.json";

    public bool Has(Digest diffId) => Directory.Exists(FolderOf(diffId));

    /// <summary>The layer's own directory, as a lower one of an overlay.</summary>
    public string FolderOf(Digest diffId) => Path.Combine(layout.Layers, StoreLayout.NameOf(diffId), Files);

    public LayerNotes NotesOf(Digest diffId)
    {
        using var file = File.OpenRead(Path.Combine(layout.Layers, StoreLayout.NameOf(diffId), Notes));
        return LayerNotes.Load(file);
    }

    /// <summary>Before they are read.</summary>
    public long NotesSizeOf(Digest diffId) => new FileInfo(Path.Combine(layout.Layers, StoreLayout.NameOf(diffId), Notes)).Length;

    /// <summary>Makes the layer where it is not there; waits where somebody else is making it. False: it was there.</summary>
    /// <param name="fill">Fills an empty directory, and throws where anything at all is wrong.</param>
    public async Task<bool> EnsureAsync(Digest diffId, Func<string, CancellationToken, Task<LayerNotes>> fill, CancellationToken ct)
    {
        if (Has(diffId)) return false;
        var name = StoreLayout.NameOf(diffId);
        return await StagedFolder.MakeAsync(layout, durability, name, Path.Combine(layout.Layers, name), async folder =>
        {
            var files = Path.Combine(folder, Files);
            Directory.CreateDirectory(files);
            // As the image-spec's implied root: whatever this process's umask is.
            File.SetUnixFileMode(files, (UnixFileMode)0b111_101_101);
            var notes = await fill(files, ct);
            using var file = File.Create(Path.Combine(folder, Notes));
            notes.Save(file);
        }, ct);
    }
}
