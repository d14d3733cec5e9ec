using Gantry.Engine.Posix;

namespace Gantry.Engine.Unpack;

/// <summary>
/// Puts a finished layer onto the tree of the layers below, as overlayfs would show the two: by moving names, never by writing. Where both have a directory the
/// two are merged, otherwise the layer's own takes the place of what was there, a directory with everything in it in one move. Because the layer was unpacked
/// alone, no link of the layers below was ever in its way.
/// </summary>
internal sealed class FlatMerge(int root, LayerStage stage, int trash)
{
    private const uint OwnerAll = 0x1C0; // 0700

    private readonly Queue<Pair> _pairs = new();
    private readonly List<(Pair Pair, FileStatus Before)> _merged = [];
    private KeptLinksPlan? _plan;
    private int _discarded;

    public void Merge(ReadOnlySpan<byte> scratch)
    {
        if (stage.Options.KeepDirectoryLinks) _plan = new KeptLinksPlan(stage, new FlatView(root));
        _pairs.Enqueue(new Pair(stage.Root, [], null));
        while (_pairs.TryDequeue(out var pair))
        {
            using var below = new Descriptor(PosixFault.Check(Kernel.OpenDirectoryBeneath(root, pair.Path), "open", pair.Path));
            PosixFault.Check(Kernel.Status(below.Number, out var before), "stat", pair.Path);
            _merged.Add((pair, before with { Mode = pair.Mode ?? before.Mode }));
            var staged = stage.Open.Of(pair.Staged);
            if (!Privileges.IsSuperuser) MakeWritable(below.Number, staged, before);

            // 1. What the layer removes, 2. what it has.
            if (pair.Staged.IsOpaque) DiscardAll(below.Number, scratch);
            foreach (var name in pair.Staged.Removed) Discard(below.Number, name);
            MoveNames(pair, staged, below.Number);
        }

        // 3. Directories that both have, the deepest first: nothing in them changes any more.
        for (var index = _merged.Count - 1; index >= 0; index--) Finish(_merged[index].Pair, _merged[index].Before);
    }

    private void MoveNames(Pair pair, int staged, int below)
    {
        // A directory may give fewer names while it changes.
        var moved = true;
        var met = new HashSet<byte[]>(ByteNames.Comparer);
        using var names = new DirectoryNames(staged);
        while (moved)
        {
            moved = false;
            while (names.Next())
            {
                if (names.IsDirectory && met.GetAlternateLookup<ReadOnlySpan<byte>>().Contains(names.Name)) continue;
                if (names.IsDirectory && FindBelow(pair, below, names.Name) is { } path)
                {
                    met.Add(names.Name.ToArray());
                    _pairs.Enqueue(new Pair(pair.Staged.Find(names.Name)!, path, MakeOpenable(staged, below, names.Name)));
                    continue;
                }

                Move(staged, names.Name, below, names.IsDirectory);
                moved = true;
            }

            names.Rewind();
        }
    }

    private void Move(int staged, ReadOnlySpan<byte> name, int below, bool isDirectory)
    {
        var result = Kernel.Rename(staged, name, below, name, replace: false);
        if (result is -Errno.Exists or -Errno.Invalid)
        {
            // There is something, or the filesystem cannot say so. A file takes the place of a file in one step; a directory, or what takes one's place, does not.
            var isThere = Kernel.Status(below, name, out var old) == 0;
            if (isThere && (isDirectory || old.IsDirectory)) Discard(below, name);
            result = Kernel.Rename(staged, name, below, name, replace: true);

            // Two names of one file: rename leaves both.
            if (result == 0 && !isDirectory) Kernel.Unlink(staged, name);
        }

        if (result == -Errno.AccessDenied && isDirectory) result = MoveReadOnly(staged, name, below, name);
        PosixFault.Check(result, "rename", name);
    }

    /// <summary>Without privileges a directory must be writable to get another parent.</summary>
    private static int MoveReadOnly(int from, ReadOnlySpan<byte> name, int to, ReadOnlySpan<byte> newName)
    {
        PosixFault.Check(Kernel.Status(from, name, out var status), "stat", name);
        PosixFault.Check(Kernel.ChangeMode(from, name, OwnerAll), "chmod", name);
        var result = Kernel.Rename(from, name, to, newName, replace: true);
        return result < 0 ? result : Kernel.ChangeMode(to, newName, status.Mode);
    }

    /// <summary>The real path of the directory that the layers below have at a name, if they have one there.</summary>
    private byte[]? FindBelow(Pair pair, int below, ReadOnlySpan<byte> name)
    {
        if (_plan is not null) return _plan.TargetOf(pair.Staged.Find(name)!);
        var result = Kernel.Status(below, name, out var status);
        if (result == -Errno.NoEntry) return null;
        PosixFault.Check(result, "stat", name);
        return status.IsDirectory ? ByteNames.Join(pair.Path, name) : null;
    }

    private void DiscardAll(int below, ReadOnlySpan<byte> except)
    {
        var found = true;
        using var names = new DirectoryNames(below);
        while (found)
        {
            found = false;
            while (names.Next())
            {
                if (names.Name.SequenceEqual(except)) continue;
                Discard(below, names.Name);
                found = true;
            }

            names.Rewind();
        }
    }

    /// <summary>A tree goes in one move, and is taken apart with the scratch directory.</summary>
    private void Discard(int below, ReadOnlySpan<byte> name)
    {
        var result = Kernel.Unlink(below, name);
        if (result == -Errno.IsDirectory)
        {
            var discarded = ScratchNames.Numbered(_discarded++);
            result = Kernel.Rename(below, name, trash, discarded, replace: false);
            if (result == -Errno.AccessDenied) result = MoveReadOnly(below, name, trash, discarded);
        }

        if (result != -Errno.NoEntry) PosixFault.Check(result, "remove", name);
    }

    /// <summary>Without privileges even one's own directory of mode 0 cannot be opened. What mode the lower one had, if it was changed.</summary>
    private static uint? MakeOpenable(int staged, int below, ReadOnlySpan<byte> name)
    {
        if (Privileges.IsSuperuser) return null;
        PosixFault.Check(Kernel.ChangeMode(staged, name, OwnerAll), "chmod", name);
        PosixFault.Check(Kernel.Status(below, name, out var status), "stat", name);
        if (!status.IsDirectory) return null;
        PosixFault.Check(Kernel.ChangeMode(below, name, status.Mode | OwnerAll), "chmod", name);
        return status.Mode;
    }

    private static void MakeWritable(int below, int staged, in FileStatus before)
    {
        PosixFault.Check(Kernel.ChangeMode(below, before.Mode | OwnerAll), "chmod", default);
        PosixFault.Check(Kernel.ChangeMode(staged, OwnerAll), "chmod", default);
    }

    /// <summary>The metadata of the layer's entry in place of the old; without an entry the old as it was, the time that our moves changed included.</summary>
    private void Finish(Pair pair, in FileStatus before)
    {
        var staged = pair.Staged;
        using var below = new Descriptor(PosixFault.Check(Kernel.OpenDirectoryBeneath(root, pair.Path), "open", pair.Path));
        if (staged.IsImplied)
        {
            if (!Privileges.IsSuperuser) PosixFault.Check(Kernel.ChangeMode(below.Number, before.Mode), "chmod", pair.Path);
            PosixFault.Check(Kernel.SetModified(below.Number, before.Modified), "utimens", pair.Path);
            return;
        }

        var own = stage.Open.Of(staged);
        PosixFault.Check(Kernel.Status(own, out var status), "stat", pair.Path);
        if (status.Uid != before.Uid || status.Gid != before.Gid)
            PosixFault.Check(Kernel.ChangeOwner(below.Number, status.Uid, status.Gid), "chown", pair.Path);
        MetadataCopy.ReplaceAttributes(own, below.Number, default);
        PosixFault.Check(Kernel.ChangeMode(below.Number, staged.Mode), "chmod", pair.Path);
        PosixFault.Check(Kernel.SetModified(below.Number, staged.Modified), "utimens", pair.Path);
    }

    /// <summary>A directory of the layer, the path of the one below that it is merged into, and the mode of that where it had to be changed.</summary>
    private sealed record Pair(StagedDirectory Staged, byte[] Path, uint? Mode);
}
