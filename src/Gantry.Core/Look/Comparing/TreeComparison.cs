using Gantry.Core.Look.Trees;

namespace Gantry.Core.Look.Comparing;

/// <summary>
/// Walks through two images at once, depth first. Layers that both have at their bottom are the same in both: in a directory that they alone have nothing is read, and where
/// others have something only its names are looked for in them. Memory: the directories on the way to where the walk is, and the pages' bound.
/// </summary>
/// <param name="before">One image, without what is hidden in it.</param>
/// <param name="after">The other one.</param>
/// <param name="shared">How many of their lowest layers are the same.</param>
internal sealed class TreeComparison(ComparedTree before, ComparedTree after, int shared)
{
    private readonly Stack<Frame> _frames = new();
    private int _steps;

    /// <summary>Names looked at for one page of differences; two images that are equal and share nothing would be read whole.</summary>
    public int MaxSteps { get; init; } = 100_000;

    /// <summary>Where the walk is, if it stopped before its end.</summary>
    public ImagePath? Next { get; private set; }

    /// <param name="start">Only what comes after this path; null: all.</param>
    /// <param name="limit">How many differences.</param>
    /// <param name="ignored">What is no difference by itself.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<List<FilePair>> RunAsync(ImagePath? start, int limit, FileAspects ignored, CancellationToken cancellationToken)
    {
        var found = new List<FilePair>();
        Next = start ?? default(ImagePath);
        var (left, right) = (await before.Tree.FindAsync(default, cancellationToken), await after.Tree.FindAsync(default, cancellationToken));
        if (start is null)
        {
            var root = await PairAsync(left, right, cancellationToken);
            if (IsDifferent(root, ignored)) found.Add(root);
        }

        await EnterAsync(left, right, start, cancellationToken);
        ImagePath last = default;
        while (_frames.TryPeek(out var frame))
        {
            var descend = default(FilePair);
            await foreach (var pair in PairsAsync(frame, cancellationToken))
            {
                last = (pair.Before ?? pair.After)!.Path;
                frame.From = [.. last.Name, 0];
                if (IsDifferent(pair, ignored))
                {
                    // The one too many is found again by the next page.
                    if (found.Count == limit) return found;
                    found.Add(pair);
                }

                Next = last;
                if (IsWorthEntering(pair)) descend = pair;
                if (++_steps > MaxSteps || descend is not null) break;
            }

            // The next page goes into the directory that this one did not enter any more.
            if (_steps > MaxSteps) return found;
            if (descend is not null) _frames.Push(new Frame(descend.Before, descend.After, []));
            else _frames.Pop();
        }

        Next = null;
        return found;
    }

    /// <summary>The directories above the path to start after, each to go on behind the name in it.</summary>
    private async Task EnterAsync(MergedEntry? left, MergedEntry? right, ImagePath? start, CancellationToken cancellationToken)
    {
        _frames.Push(new Frame(left, right, []));
        if (start is not { } path || path.IsRoot) return;
        var ancestors = new Stack<ImagePath>();
        for (var at = path; !at.IsRoot; at = at.Parent) ancestors.Push(at);
        foreach (var at in ancestors)
        {
            _frames.Peek().From = [.. at.Name, 0];
            (left, right) = (await StepAsync(before, left, at, cancellationToken), await StepAsync(after, right, at, cancellationToken));
            if (!IsWorthEntering(new FilePair(left, null, right, null))) return;
            _frames.Push(new Frame(left, right, []));
        }
    }

    private static async ValueTask<MergedEntry?> StepAsync(ComparedTree image, MergedEntry? directory, ImagePath path, CancellationToken cancellationToken) =>
        directory?.Parts is null ? null : Seen(await image.Tree.StepAsync(directory, path, cancellationToken));

    private async IAsyncEnumerable<FilePair> PairsAsync(
        Frame frame, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // 1. Whose names are looked at.
        var (leftParts, rightParts) = (PartsOf(frame.Before), PartsOf(frame.After));
        var isSharedEqual = leftParts.Where(part => part.Layer < shared).SequenceEqual(rightParts.Where(part => part.Layer < shared));
        if (isSharedEqual)
        {
            leftParts = [.. leftParts.Where(part => part.Layer >= shared)];
            rightParts = [.. rightParts.Where(part => part.Layer >= shared)];
        }

        // 2. Both in step; what one of them does not name may still be in the layers that it shares.
        await using var lefts = before.Names(frame.Before, frame.From, leftParts, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using var rights = after.Names(frame.After, frame.From, rightParts, cancellationToken).GetAsyncEnumerator(cancellationToken);
        var (hasLeft, hasRight) = (await lefts.MoveNextAsync(), await rights.MoveNextAsync());
        while (hasLeft || hasRight)
        {
            var order = !hasLeft ? 1 : !hasRight ? -1 : lefts.Current.Path.Name.SequenceCompareTo(rights.Current.Path.Name);
            var path = order <= 0 ? lefts.Current.Path : rights.Current.Path;
            var left = order <= 0 ? lefts.Current.Entry : await before.ChildAsync(frame.Before, path, isSharedEqual, cancellationToken);
            var right = order >= 0 ? rights.Current.Entry : await after.ChildAsync(frame.After, path, isSharedEqual, cancellationToken);
            if (left is not null || right is not null) yield return await PairAsync(left, right, cancellationToken);
            if (order <= 0) hasLeft = await lefts.MoveNextAsync();
            if (order >= 0) hasRight = await rights.MoveNextAsync();
        }
    }

    private async Task<FilePair> PairAsync(MergedEntry? left, MergedEntry? right, CancellationToken cancellationToken) => new(
        left, left is null ? null : (await before.Tree.FollowAsync(left, cancellationToken) ?? left).Entry,
        right, right is null ? null : (await after.Tree.FollowAsync(right, cancellationToken) ?? right).Entry);

    private bool IsDifferent(FilePair pair, FileAspects ignored)
    {
        if (pair.Before is null || pair.After is null) return pair.Before is not null || pair.After is not null;
        return (pair.Before.Layer != pair.After.Layer || pair.Before.Layer >= shared) && (pair.Aspects() & ~ignored) != FileAspects.None;
    }

    private bool IsWorthEntering(FilePair pair)
    {
        var (left, right) = (PartsOf(pair.Before), PartsOf(pair.After));
        return !left.SequenceEqual(right) || left.Any(part => part.Layer >= shared);
    }

    private static IReadOnlyList<TreePart> PartsOf(MergedEntry? entry) => entry?.Parts ?? [];

    private static MergedEntry? Seen(MergedEntry? entry) => entry is { IsRemoved: false } ? entry : null;

    /// <summary>A directory that one of them has, or both. It is walked through from a name on, again after each directory in it, so that nothing is kept open.</summary>
    private sealed class Frame(MergedEntry? before, MergedEntry? after, byte[] from)
    {
        public MergedEntry? Before => before;

        public MergedEntry? After => after;

        public byte[] From { get; set; } = from;
    }
}

/// <summary>One of two images.</summary>
internal sealed class ComparedTree(MergedTree tree)
{
    public MergedTree Tree => tree;

    public IAsyncEnumerable<(ImagePath Path, MergedEntry? Entry)> Names(
        MergedEntry? directory, byte[] from, IReadOnlyList<TreePart> named, CancellationToken cancellationToken) =>
        directory?.Parts is null || named.Count == 0 ? AsyncEnumerable.Empty<(ImagePath, MergedEntry?)>() : tree.ListAsync(directory, from, named, cancellationToken);

    /// <summary>A name that the other image's layers have, in the layers that this one was not asked for.</summary>
    public async ValueTask<MergedEntry?> ChildAsync(MergedEntry? directory, ImagePath path, bool mayBeShared, CancellationToken cancellationToken) =>
        mayBeShared && directory?.Parts is { Count: > 0 } ? await tree.ChildAsync(directory, path, cancellationToken) : null;
}
