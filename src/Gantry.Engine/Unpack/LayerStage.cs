using Gantry.Engine.Posix;
using Gantry.Layers;

namespace Gantry.Engine.Unpack;

/// <summary>
/// The directory that one layer is unpacked into, alone: at first it is empty, and everything in it is the layer's own. What the layer says about the layers below
/// (removals, opaque directories, links to their files) is remembered and applied at the end, so the order of entries does not matter to it.
/// <para>
/// While the layer is written, directories belong to this process and have mode 0700, so that nothing in them is inherited or in the way; their own
/// metadata comes last.
/// </para>
/// </summary>
internal sealed class LayerStage : IDisposable
{
    private const uint OwnerAll = 0x1C0; // 0700

    public LayerStage(int root, UnpackOptions options, CancellationToken cancellation)
    {
        Privileges = Privileges.In(root);
        (Options, Budget) = (options, new UnpackBudget(options, cancellation));
        Open = new OpenDirectories(root);
        Resolver = new PathResolver(this);
        Root.IsMade = true;

        // A directory with the set-group-ID bit or a default ACL would hand them down to all that is made in it.
        PosixFault.Check(Kernel.ChangeOwner(root, Privileges.User, Privileges.Group), "chown", "."u8);
        PosixFault.Check(Kernel.ChangeMode(root, OwnerAll), "chmod", "."u8);
        Kernel.RemoveAttribute(root, AttributePolicy.DefaultAcl);
    }

    public UnpackOptions Options { get; }

    public Privileges Privileges { get; }

    public UnpackBudget Budget { get; }

    public UnpackWarnings Warnings { get; } = new();

    public StagedDirectory Root { get; } = new(null, []);

    public OpenDirectories Open { get; }

    public PathResolver Resolver { get; }

    /// <summary>Makes a directory that no entry names, or not yet. The result of mkdir: what is in the way is the caller's to judge.</summary>
    public int TryMakeDirectory(StagedDirectory parent, ReadOnlySpan<byte> name, out StagedDirectory? made)
    {
        made = null;
        var result = Kernel.MakeDirectory(Open.Of(parent), name, OwnerAll);
        if (result < 0) return result;
        Budget.TakeInode();
        made = parent.Find(name) ?? Remember(parent, name);
        made.IsMade = true;
        return result;
    }

    /// <summary>A directory that only removals speak of, so far.</summary>
    public StagedDirectory Remember(StagedDirectory parent, ReadOnlySpan<byte> name)
    {
        Budget.Retain(StagedDirectory.Overhead + name.Length + (parent.HadChildren ? 0 : StagedDirectory.FirstChildOverhead));
        var added = parent.Add(name);
        if (added.PathLength >= EntryName.MaxPath) throw new LayerException(LayerFault.Path, $"the path of the directory {Printable.Of(name)} is too long");
        return added;
    }

    /// <summary>Removes what the layer itself put at a name: its later entry wins, and writes to no inode that has another name.</summary>
    public void Clear(StagedDirectory parent, ReadOnlySpan<byte> name)
    {
        if (parent.Find(name) is { IsMade: true } directory)
        {
            foreach (var gone in directory.WithDescendants())
            {
                gone.IsDetached = true;
                Open.Forget(gone);
            }

            parent.Remove(directory);
            foreach (var gone in directory.WithDescendants().Where(gone => gone.IsOpaque || gone.Removed.Count > 0)) KeepRemovals(parent, gone);
        }

        Resolver.Forget();
        TreeRemoval.RemoveAt(Open.Of(parent), name);
    }

    /// <summary>What the layer removes from those below stays removed, even if the directory that says so gives way and comes again.</summary>
    private void KeepRemovals(StagedDirectory top, StagedDirectory gone)
    {
        var path = new Stack<byte[]>();
        for (var at = gone; at != top; at = at.Parent!) path.Push(at.Name);
        var kept = top;
        foreach (var name in path) kept = kept.Find(name) ?? Remember(kept, name);
        kept.IsOpaque |= gone.IsOpaque;
        foreach (var name in gone.Removed) kept.AddRemoved(name);
    }

    /// <summary>Something that is accepted with a warning, or not at all where the caller is strict.</summary>
    public void Tolerate(LayerFault fault, string text)
    {
        if (Options.Strict) throw new LayerException(fault, text);
        Warnings.Add(text);
    }

    public void Dispose()
    {
        Open.Dispose();
        Budget.Dispose();
    }
}
