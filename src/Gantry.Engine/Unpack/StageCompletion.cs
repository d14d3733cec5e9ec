using Gantry.Engine.Posix;
using Gantry.Layers;

namespace Gantry.Engine.Unpack;

/// <summary>
/// The end of a layer: what it removes, now that all it has is known, and then each directory's own mode and time, the deepest first, when nothing in it changes
/// any more.
/// </summary>
internal sealed class StageCompletion(LayerStage stage, UnpackMode mode)
{
    /// <summary>
    /// Settles the removals. One that the layer also makes is no removal of what it made, but hides what was below: a file does by itself, a directory by being
    /// opaque. Removals in an opaque directory say nothing new, and overlayfs would show them.
    /// </summary>
    public void PlaceRemovals()
    {
        var pending = new Stack<StagedDirectory>([stage.Root]);
        while (pending.TryPop(out var directory))
        {
            foreach (var name in directory.Removed)
            {
                if (directory.Find(name) is not { } child) continue;
                if (child.IsMade) child.IsReplaced = true;
                else directory.Remove(child);
            }

            foreach (var child in directory.Children.ToList())
            {
                if (child.IsMade || TryMake(directory, child)) pending.Push(child);
                else directory.Remove(child);
            }

            if (mode != UnpackMode.Layer || directory.IsOpaque || directory.IsReplaced) continue;
            foreach (var name in directory.Removed) Hide(directory, name);
        }
    }

    /// <summary>Keeps the place of a link to a file below with a whiteout: what is below the name is hidden. Before the removals are settled.</summary>
    public void Reserve(CrossLink link) => Hide(link.Parent, link.Name);

    /// <summary>After the removals: an opaque directory hides by itself, and would show the whiteout.</summary>
    public void Settle(CrossLink link)
    {
        if (!link.Parent.IsOpaque && !link.Parent.IsReplaced) return;
        var result = Kernel.Unlink(stage.Open.Of(link.Parent), link.Name);
        if (result != -Errno.NoEntry) PosixFault.Check(result, "unlink", link.Name);
    }

    public void FinishDirectories()
    {
        var directories = stage.Root.WithDescendants().ToArray();
        for (var index = directories.Length - 1; index >= 0; index--)
        {
            var directory = directories[index];
            var descriptor = stage.Open.Of(directory);
            if (mode == UnpackMode.Layer && directory.Parent is not null && (directory.IsOpaque || directory.IsReplaced))
                PosixFault.Check(Kernel.SetAttribute(descriptor, stage.Privileges.OpaqueAttribute, "y"u8), "setxattr", directory.Name);
            if (directory.DefaultAcl is { } acl && Kernel.SetAttribute(descriptor, AttributePolicy.DefaultAcl, acl) < 0)
                stage.Warnings.Add("extended attributes system.posix_acl_default are left out");
            PosixFault.Check(Kernel.ChangeMode(descriptor, directory.Mode), "chmod", directory.Name);
            PosixFault.Check(Kernel.SetModified(descriptor, directory.Modified), "utimens", directory.Name);
            stage.Open.Forget(directory);
        }
    }

    /// <summary>Makes overlayfs's mark, unless the layer has something at the name. Since Linux 5.8 it needs no privilege.</summary>
    private void Hide(StagedDirectory directory, ReadOnlySpan<byte> name)
    {
        stage.Budget.TakeInode();
        var result = Kernel.MakeNode(stage.Open.Of(directory), name, FileKind.CharacterDevice, 0, 0);
        if (result == -Errno.Exists) return;
        PosixFault.Check(result, "mknod", name);
        directory.HasWhiteouts = true;
    }

    /// <summary>A removal in a directory that the layer has nothing else in: it has the directory too. Unless that is a file of the layer by now.</summary>
    private bool TryMake(StagedDirectory parent, StagedDirectory child)
    {
        var result = stage.TryMakeDirectory(parent, child.Name, out _);
        if (result == 0) return true;
        if (result != -Errno.Exists) PosixFault.Check(result, "mkdir", child.Name);
        stage.Tolerate(LayerFault.Path, $"what is removed below {Printable.Of(child.PathBelow())} is nothing: it is no directory");
        return false;
    }
}
