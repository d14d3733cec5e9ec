using Gantry.Engine.Posix;
using Gantry.Layers;

namespace Gantry.Engine.Unpack;

/// <summary>
/// Where each directory of a layer is merged if links of the layers below are kept: found before anything changes, since what one part of a layer replaces may be what
/// another part's link leads through, and two of its directories may be one below. What cannot be done in any order is refused.
/// </summary>
internal sealed class KeptLinksPlan
{
    private readonly Dictionary<StagedDirectory, byte[]> _targets = [];
    private readonly Dictionary<byte[], List<StagedDirectory>> _merged = new(ByteNames.Comparer);
    private readonly LayerStage _stage;

    /// <exception cref="LayerException">Link: the layer contradicts itself where links are kept.</exception>
    public KeptLinksPlan(LayerStage stage, FlatView below)
    {
        _stage = stage;
        var pending = new Queue<(StagedDirectory Directory, byte[] Path)>([(stage.Root, [])]);
        while (pending.TryDequeue(out var next))
        {
            _targets.Add(next.Directory, next.Path);
            if (!_merged.TryGetValue(next.Path, out var same)) _merged[next.Path] = same = [];
            same.Add(next.Directory);

            // What is removed first is not merged with.
            if (next.Directory.IsOpaque) continue;
            var removed = next.Directory.Removed.ToHashSet(ByteNames.Comparer);
            foreach (var child in next.Directory.Children.Where(child => child.IsMade && !removed.Contains(child.Name)))
            {
                if (Find(below, ByteNames.Join(next.Path, child.Name)) is { } target) pending.Enqueue((child, target));
            }
        }

        foreach (var (path, directories) in _merged)
        {
            RequireWay(path);
            if (directories.Count > 1) RequireOneOrder(path, directories);
        }
    }

    /// <summary>Null: it takes the place of what is there.</summary>
    public byte[]? TargetOf(StagedDirectory directory) => _targets.GetValueOrDefault(directory);

    private static byte[]? Find(FlatView below, byte[] path)
    {
        if (!below.TryStatus(path, out var status)) return null;
        if (status.IsDirectory) return path;
        if (status.Kind != FileKind.SymbolicLink) return null;
        return below.Resolve(path, followsLast: true) is { } target && below.TryStatus(target, out var behind) && behind.IsDirectory ? target : null;
    }

    /// <summary>Nothing on the way to a directory that is merged into goes.</summary>
    private void RequireWay(byte[] path)
    {
        for (ReadOnlySpan<byte> rest = path; !rest.IsEmpty;)
        {
            rest = ByteNames.DirectoryOf(rest, out var name);
            foreach (var directory in _merged.GetValueOrDefault(rest.ToArray()) ?? [])
            {
                var isGone = directory.IsOpaque || Contains(directory.Removed, name) || (Has(directory, name, out var status) && !status.IsDirectory);
                if (isGone) throw Contradiction(path, $"and removes {Printable.Of(ByteNames.Join(rest, name))}, which leads there");
            }
        }
    }

    /// <summary>Where two directories are one, they must not say different things of the same name.</summary>
    private void RequireOneOrder(byte[] path, List<StagedDirectory> directories)
    {
        var met = new HashSet<byte[]>(ByteNames.Comparer);
        foreach (var directory in directories)
        {
            if (directory.IsOpaque) throw Contradiction(path, "by two names, and removes what is in it under one of them");
            using var names = new DirectoryNames(_stage.Open.Of(directory));
            while (names.Next())
            {
                var isMerged = directory.Find(names.Name) is { } child && _targets.ContainsKey(child);
                if (!isMerged && !met.Add(names.Name.ToArray())) throw Contradiction(path, $"by two names, and has {Printable.Of(names.Name)} under both");
            }

            foreach (var name in directory.Removed)
            {
                if (!met.Add(name)) throw Contradiction(path, $"by two names, and has and removes {Printable.Of(name)}");
            }
        }
    }

    private static bool Contains(IReadOnlyList<byte[]> names, ReadOnlySpan<byte> name)
    {
        foreach (var each in names)
        {
            if (name.SequenceEqual(each)) return true;
        }

        return false;
    }

    private bool Has(StagedDirectory directory, ReadOnlySpan<byte> name, out FileStatus status) => Kernel.Status(_stage.Open.Of(directory), name, out status) == 0;

    private static LayerException Contradiction(byte[] path, string what) =>
        new(LayerFault.Link, $"the layer changes {Printable.Of(path)} by way of a link that is kept {what}: unpack it without keeping links");
}
