using System.Text;
using Gantry.Engine.Posix;
using Gantry.Layers;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Unpack;

/// <summary>
/// Unpacks layers below one directory and nowhere else, whatever is in them. Each layer is written into a directory of its own first: in <see cref="UnpackMode.Layer"/>
/// that is the root itself, which must be empty; in <see cref="UnpackMode.Flat"/> a scratch directory in the root, whose names then move into the tree that is there.
/// <para>
/// Synchronous, for a dedicated thread; one layer at a time. What an entry is refused for is a <see cref="LayerException"/>, what the machine refuses an
/// <see cref="EngineException"/> of the fault Local. After either, and after a cancellation, the root is as before the layer: empty, or the tree of the layers
/// below (unless the machine refused in the middle of the moves, which need no room and no permission that writing did not need).
/// </para>
/// <para>The root must not be changed by anybody else meanwhile. Memory: half a MiB of content, and <see cref="UnpackOptions.MaxBookkeeping"/>.</para>
/// </summary>
public sealed class LayerUnpacker : IDisposable
{
    private readonly Descriptor _root;
    private readonly UnpackMode _mode;
    private readonly UnpackOptions _options;

    /// <summary>Opens the root; what a flat unpacker that was killed has left in it is removed.</summary>
    public LayerUnpacker(string root, UnpackMode mode, UnpackOptions options)
    {
        (_mode, _options) = (mode, options);
        _root = new Descriptor(PosixFault.Check(Kernel.OpenDirectory(root), "open", Encoding.UTF8.GetBytes(root)));
        if (mode == UnpackMode.Flat) RemoveLeftovers();
    }

    /// <summary>
    /// Applies one layer, the decompressed archive, and reads the stream to its end: all of it is in the diffID. In flat mode to be called again for the next one.
    /// </summary>
    public LayerNotes Apply(Stream tar, CancellationToken cancellation) => _mode == UnpackMode.Layer ? ApplyAlone(tar, cancellation) : ApplyOnto(tar, cancellation);

    public void Dispose() => _root.Dispose();

    private LayerNotes ApplyAlone(Stream tar, CancellationToken cancellation)
    {
        using (var names = new DirectoryNames(_root.Number))
        {
            if (names.Next()) throw new EngineException(EngineFault.Usage, "the directory for a layer is not empty");
        }

        using var stage = new LayerStage(_root.Number, _options, cancellation);
        try
        {
            var links = new HardLinks(stage);
            WriteEntries(tar, stage, links, cancellation);
            var cross = links.Resolve();
            var completion = new StageCompletion(stage, _mode);
            cross.ForEach(completion.Reserve);
            completion.PlaceRemovals();
            cross.ForEach(completion.Settle);
            completion.FinishDirectories();
            return NotesOf(stage) with
            {
                ImpliedDirectories = Paths(stage, directory => directory is { IsImplied: true, IsReplaced: false }),
                RemovalDirectories = Paths(stage, directory => directory.HasWhiteouts),
                CrossLinks = [.. cross.Select(link => NoteOf(stage, link))],
                HidesLayersBelow = stage.Root.IsOpaque,
                UsesUserAttributes = !stage.Privileges.IsPrivileged,
            };
        }
        catch
        {
            TreeRemoval.Empty(_root.Number);
            throw;
        }
    }

    private LayerNotes ApplyOnto(Stream tar, CancellationToken cancellation)
    {
        PosixFault.Check(Kernel.Status(_root.Number, out var before), "stat", "."u8);
        var (scratch, modified) = (ScratchNames.Random(), before.Modified);
        PosixFault.Check(Kernel.MakeDirectory(_root.Number, scratch, 0x1C0), "mkdir", scratch);
        try
        {
            using var trash = new Descriptor(PosixFault.Check(Kernel.Open(_root.Number, scratch, Kernel.Directory), "open", scratch));
            PosixFault.Check(Kernel.MakeDirectory(trash.Number, "fs"u8, 0x1C0), "mkdir", scratch);
            using var staged = new Descriptor(PosixFault.Check(Kernel.Open(trash.Number, "fs"u8, Kernel.Directory), "open", scratch));
            using var stage = new LayerStage(staged.Number, _options, cancellation);
            var links = new HardLinks(stage);
            WriteEntries(tar, stage, links, cancellation);
            foreach (var link in links.Resolve()) LinkToLower(link, stage);
            var completion = new StageCompletion(stage, _mode);
            completion.PlaceRemovals();
            completion.FinishDirectories();
            new FlatMerge(_root.Number, stage, trash.Number).Merge(scratch);
            if (!stage.Root.IsImplied) modified = stage.Root.Modified;
            return NotesOf(stage);
        }
        finally
        {
            TreeRemoval.RemoveAt(_root.Number, scratch);
            PosixFault.Check(Kernel.SetModified(_root.Number, modified), "utimens", "."u8);
        }
    }

    private void WriteEntries(Stream tar, LayerStage stage, HardLinks links, CancellationToken cancellation)
    {
        using var reader = new TarReader(tar);
        using var writer = new EntryWriter(stage, links, _mode);
        while (reader.Next())
        {
            cancellation.ThrowIfCancellationRequested();
            writer.Write(reader);
        }

        writer.Complete();
        reader.Drain();
        if (_options.Strict && reader.HasTrailingData) throw new LayerException(LayerFault.Archive, "there is data behind the end of the archive");
    }

    /// <summary>A real link to the file of the layers below, as they are before this layer changes anything.</summary>
    private void LinkToLower(CrossLink link, LayerStage stage)
    {
        var view = new FlatView(_root.Number);
        var shown = Printable.Of(link.Target);
        if (view.Resolve(link.Target, followsLast: false) is not { } target || !view.TryStatus(target, out var status))
            throw new LayerException(LayerFault.Link, $"the target {shown} of the hard link {Printable.Of(link.Name)} is neither in its layer nor in any below");
        if (status.IsDirectory) throw new LayerException(LayerFault.Link, $"the hard link {Printable.Of(link.Name)} to {shown} leads to a directory");
        using var directory = view.OpenDirectoryOf(target, out var name);
        PosixFault.Check(Kernel.Link(directory.Number, name, stage.Open.Of(link.Parent), link.Name), "link", link.Name);
    }

    /// <summary>Whole paths: in a deep tree they are far longer than the names that were counted before.</summary>
    private static LayerPath[] Paths(LayerStage stage, Func<StagedDirectory, bool> isMeant) => [.. stage.Root.WithDescendants().Where(isMeant).Select(directory =>
    {
        stage.Budget.Retain(directory.PathLength + LayerPath.Overhead);
        return new LayerPath(directory.PathBelow());
    })];

    private static LayerLink NoteOf(LayerStage stage, CrossLink link)
    {
        stage.Budget.Retain(link.Parent.PathLength + link.Name.Length + link.Target.Length + (2 * LayerPath.Overhead));
        return new LayerLink(new LayerPath(ByteNames.Join(link.Parent.PathBelow(), link.Name)), new LayerPath(link.Target));
    }

    private static LayerNotes NotesOf(LayerStage stage) => new()
    {
        Entries = stage.Budget.Entries,
        Files = stage.Budget.Inodes,
        Bytes = stage.Budget.Bytes,
        Warnings = [.. stage.Warnings.Texts],
        WarningCount = stage.Warnings.Count,
    };

    private void RemoveLeftovers()
    {
        PosixFault.Check(Kernel.Status(_root.Number, out var before), "stat", "."u8);
        var found = new List<byte[]>();
        using (var names = new DirectoryNames(_root.Number))
        {
            while (names.Next())
            {
                if (names.Name.StartsWith(ScratchNames.Prefix)) found.Add(names.Name.ToArray());
            }
        }

        foreach (var name in found) TreeRemoval.RemoveAt(_root.Number, name);
        if (found.Count > 0) PosixFault.Check(Kernel.SetModified(_root.Number, before.Modified), "utimens", "."u8);
    }
}
