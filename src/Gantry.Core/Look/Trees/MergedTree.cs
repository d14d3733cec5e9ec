using System.Runtime.CompilerServices;
using Gantry.Core.Look.Listings;
using Gantry.Layers;

namespace Gantry.Core.Look.Trees;

/// <summary>
/// The first layers of an image as one tree, by the rules of image-spec as the engine applies them ("Image Layer Filesystem Changeset"): nothing is unpacked, each
/// question reads the pages that it needs. A link to a file of the layers below is looked for in those layers alone.
/// </summary>
/// <param name="pages">Of all layers, the lowest first.</param>
/// <param name="count">How many of them.</param>
/// <param name="withHidden">Whether what is hidden is wanted too.</param>
internal sealed class MergedTree(LayerPages pages, int count, bool withHidden)
{
    // As the engine has it, and one on the work that a name can ask for.
    private const int MaxLinks = 40, MaxSteps = 2000;

    /// <summary>Names that are remembered, and by each of the trees below this one, of which there may be 255; more are found again.</summary>
    private const int MaxKnown = 4096, MaxKnownBelow = 32;

    /// <summary>What to look for one name in one layer costs beside the path's length; see <see cref="LayerPages.Spend"/>.</summary>
    private const int StepBytes = 128;

    private readonly Dictionary<ImagePath, MergedEntry?> _known = [];
    private readonly MergedTree?[] _below = new MergedTree?[count];
    private MergedEntry? _root;
    private bool _hasRoot;
    private int _maxKnown = MaxKnown;

    /// <summary>The same image without this layer and those above it.</summary>
    public MergedTree Below(int layer) => _below[layer] ??= new MergedTree(pages, layer, withHidden: false) { _maxKnown = MaxKnownBelow };

    /// <summary>What is at a path whose directories are real ones; null for nothing. What was removed is something where what is hidden is wanted.</summary>
    public async ValueTask<MergedEntry?> FindAsync(ImagePath path, CancellationToken cancellationToken)
    {
        if (path.IsRoot) return await RootAsync(cancellationToken);

        // From the root down: a path may have two thousand directories.
        var directory = await RootAsync(cancellationToken);
        var at = default(ImagePath);
        foreach (var range in Split(path))
        {
            if (directory?.Parts is null) return null;
            at = at.Below(path.Bytes[range]);
            directory = await StepAsync(directory, at, cancellationToken);
        }

        return directory;
    }

    /// <summary>One name in a directory of this tree on the way to others, which is remembered.</summary>
    public async ValueTask<MergedEntry?> StepAsync(MergedEntry directory, ImagePath path, CancellationToken cancellationToken)
    {
        pages.Spend(path.Bytes.Length);
        if (_known.TryGetValue(path, out var known)) return known;
        var there = await ChildAsync(directory, path, cancellationToken);
        if (_known.Count >= _maxKnown) _known.Clear();
        return _known[path] = there;
    }

    /// <summary>One name in a directory of this tree.</summary>
    public async ValueTask<MergedEntry?> ChildAsync(MergedEntry directory, ImagePath path, CancellationToken cancellationToken)
    {
        Count(directory, path, cancellationToken);
        var key = EntryKey.Of(path);
        await pages.PrepareAsync(directory.Parts!.Select(part => part.Layer), key, cancellationToken);
        var merge = new EntryMerge(path, withHidden);
        foreach (var part in directory.Parts!)
        {
            if (await pages.FindAsync(part.Layer, key, cancellationToken) is { } entry) merge.Add(part, entry);
        }

        return merge.Finish();
    }

    /// <summary>
    /// Names in a directory, in order. The names are those that the layers of <paramref name="named"/> have, removals among them; what is at each is said by all layers.
    /// </summary>
    /// <param name="directory">Of this tree.</param>
    /// <param name="from">The first name; empty for all.</param>
    /// <param name="named">Of the directory's parts.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<(ImagePath Path, MergedEntry? Entry)> ListAsync(
        MergedEntry directory, byte[] from, IReadOnlyList<TreePart> named, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var prefix = EntryKey.Of(directory.Path.Bytes, []);
        byte[] first = [.. prefix, .. from];
        await pages.PrepareAsync(named.Select(part => part.Layer), first, cancellationToken);
        var walks = new Dictionary<int, Walk>();
        try
        {
            foreach (var part in named)
            {
                var walk = new Walk(pages.FromAsync(part.Layer, first, cancellationToken).GetAsyncEnumerator(cancellationToken), prefix);
                walks.Add(part.Layer, walk);
                await walk.NextAsync();
            }

            while (walks.Values.Where(walk => walk.Current is not null).MinBy(walk => walk.Current!.Key, KeyOrder) is { } lowest)
            {
                var path = directory.Path.Below(lowest.Current!.Name);
                yield return (path, await MergeAsync(directory, path, walks, cancellationToken));
                var key = lowest.Current.Key;
                foreach (var walk in walks.Values)
                {
                    if (walk.Current?.Key.AsSpan().SequenceEqual(key) == true) await walk.NextAsync();
                }
            }
        }
        finally
        {
            foreach (var walk in walks.Values) await walk.Entries.DisposeAsync();
        }
    }

    /// <summary>
    /// What a path leads to, symbolic links resolved as in a chroot, the last component only if asked to; null where there is nothing, or no way.
    /// </summary>
    public async ValueTask<MergedEntry?> ResolveAsync(ReadOnlyMemory<byte> path, bool followsLast, CancellationToken cancellationToken)
    {
        if (await RootAsync(cancellationToken) is not { } root) return null;
        // The directories above where it is: found from the root each time, a deep path would cost its square.
        var (way, at, links, steps) = (new Stack<MergedEntry>(), root, 0, 0);
        var rest = path;
        while (!rest.IsEmpty)
        {
            var slash = rest.Span.IndexOf((byte)'/');
            var component = slash < 0 ? rest : rest[..slash];
            rest = slash < 0 ? default : rest[(slash + 1)..].TrimStart((byte)'/');
            if (component.IsEmpty || component.Span.SequenceEqual("."u8)) continue;
            if (at.Parts is null || ++steps > MaxSteps) return null;
            if (component.Span.SequenceEqual(".."u8))
            {
                at = way.TryPop(out var above) ? above : root;
                continue;
            }

            var next = at.Path.Below(component.Span);
            if (next.Bytes.Length >= EntryName.MaxPath) return null;
            var there = await StepAsync(at, next, cancellationToken);
            if (there is null || there.IsRemoved) return null;
            var target = followsLast || !rest.IsEmpty ? (await FollowAsync(there, cancellationToken))?.Entry : null;
            if (target?.Kind == EntryKind.SymbolicLink)
            {
                if (++links > MaxLinks) return null;
                rest = (byte[])[.. target.Record.Target, (byte)'/', .. rest.Span];
                if (target.Record.Target is not [(byte)'/', ..]) continue;
                at = root;
                way.Clear();
            }
            else
            {
                way.Push(at);
                at = there;
            }
        }

        return at;
    }

    /// <summary>What a link to a file of the layers below is another name of; anything else is itself. Null where there is no such file.</summary>
    public async ValueTask<MergedEntry?> FollowAsync(MergedEntry entry, CancellationToken cancellationToken)
    {
        // Each step goes down at least one layer.
        MergedEntry? at = entry;
        while (at is { Entry.Kind: EntryKind.HardLink, Entry.Link: { } target, IsRemoved: false })
            at = at.Layer == 0 ? null : await Below(at.Layer).ResolveAsync(target, followsLast: false, cancellationToken);
        return at?.Parts is null || at == entry ? at : null;
    }

    private static readonly Comparer<byte[]> KeyOrder = Comparer<byte[]>.Create((left, right) => left.AsSpan().SequenceCompareTo(right));

    private static IEnumerable<Range> Split(ImagePath path)
    {
        for (var start = 0; start < path.Bytes.Length;)
        {
            var slash = path.Bytes[start..].IndexOf((byte)'/');
            var end = slash < 0 ? path.Bytes.Length : start + slash;
            yield return start..end;
            start = end + 1;
        }
    }

    private async ValueTask<MergedEntry?> RootAsync(CancellationToken cancellationToken)
    {
        if (_hasRoot) return _root;
        var all = Enumerable.Range(0, count).Reverse().ToList();
        await pages.PrepareAsync(all, [], cancellationToken);
        var merge = new EntryMerge(default, withHidden);
        foreach (var layer in all)
        {
            if (await pages.FindAsync(layer, [], cancellationToken) is { } entry) merge.Add(new TreePart(layer, null), entry);
        }

        (_root, _hasRoot) = (merge.Finish(), true);
        return _root;
    }

    // Pages that are here already are looked through without waiting for anything: who has gone has to be noticed here.
    private void Count(MergedEntry directory, ImagePath path, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        pages.Spend((path.Bytes.Length + (long)StepBytes) * directory.Parts!.Count);
    }

    private async ValueTask<MergedEntry?> MergeAsync(MergedEntry directory, ImagePath path, Dictionary<int, Walk> walks, CancellationToken cancellationToken)
    {
        Count(directory, path, cancellationToken);
        var key = EntryKey.Of(path);
        var merge = new EntryMerge(path, withHidden);
        foreach (var part in directory.Parts!)
        {
            var entry = !walks.TryGetValue(part.Layer, out var walk) ? await pages.FindAsync(part.Layer, key, cancellationToken)
                : walk.Current?.Key.AsSpan().SequenceEqual(key) == true ? walk.Current : null;
            if (entry is not null) merge.Add(part, entry);
        }

        return merge.Finish();
    }

    /// <summary>One layer's names of a directory.</summary>
    private sealed class Walk(IAsyncEnumerator<LayerEntry> entries, byte[] prefix)
    {
        public IAsyncEnumerator<LayerEntry> Entries => entries;

        public LayerEntry? Current { get; private set; }

        public async ValueTask NextAsync() =>
            Current = await entries.MoveNextAsync() && entries.Current.Key.AsSpan().StartsWith(prefix) ? entries.Current : null;
    }
}
