using Gantry.Core.Look.Listings;

namespace Gantry.Core.Look.Trees;

/// <summary>A layer that has a directory at a path.</summary>
/// <param name="Layer">Its place in the image, from 0.</param>
/// <param name="HiddenBy">The layer that hides all that this one has in it; null: it is part of what is seen.</param>
internal sealed record TreePart(int Layer, int? HiddenBy);

/// <summary>What an image has at a path.</summary>
/// <param name="Path">Where.</param>
/// <param name="Layer">Who put it there; for a directory whose metadata it has.</param>
/// <param name="Entry">What it is; of what was removed, what it was.</param>
/// <param name="Parts">Of a directory, from the top down; null for anything else.</param>
/// <param name="Hidden">What else layers have there and is not seen, from the top down, and who hides it.</param>
/// <param name="RemovedBy">The layer that took it away; null: it is there.</param>
internal sealed record MergedEntry(
    ImagePath Path, int Layer, LayerEntry Entry, IReadOnlyList<TreePart>? Parts, IReadOnlyList<(int Layer, LayerEntry Entry, int By)> Hidden, int? RemovedBy)
{
    public bool IsRemoved => RemovedBy is not null;
}

/// <summary>
/// What layers have at one name becomes what is seen: the uppermost wins, directories on top of each other are one. What is no directory ends the search, a removal too.
/// An opaque directory hides what others have in it, but without an entry of its own it is still the directory that was there, with its metadata.
/// </summary>
internal sealed class EntryMerge(ImagePath path, bool withHidden)
{
    private readonly List<TreePart> _parts = [];
    private readonly List<(int Layer, LayerEntry Entry, int By)> _hidden = [];
    private (int Layer, LayerEntry Entry)? _leaf, _source, _first;
    private int? _endedBy, _opaqueBy, _goneBy, _goneFrom;

    /// <summary>From the top down.</summary>
    public void Add(TreePart part, LayerEntry entry)
    {
        // 1. What is hidden. Where a layer that is hidden itself had taken it away, it was that one.
        if ((_goneBy ?? part.HiddenBy ?? _endedBy) is { } by)
        {
            Hide(part.Layer, entry, by);
            if (entry.Kind == EntryKind.Removal && _hidden.Count > 0) _goneFrom ??= _hidden.Count;
            if (entry.Kind == EntryKind.Removal || entry.IsOpaque) _goneBy = part.Layer;
            return;
        }

        // 2. What ends the search.
        if (entry.Kind != EntryKind.Directory)
        {
            _endedBy = part.Layer;
            if (entry.Kind == EntryKind.Removal) return;
            if (_parts.Count == 0) _leaf = (part.Layer, entry);
            else Hide(part.Layer, entry, _parts[0].Layer);
            return;
        }

        // 3. One directory more.
        _first ??= (part.Layer, entry);
        if (!entry.IsImplied) _source ??= (part.Layer, entry);
        if (_opaqueBy is { } opaque) Hide(part.Layer, entry, opaque);
        else _parts.Add(part);
        if (entry.IsOpaque) _opaqueBy ??= part.Layer;
        if (_source is not null) _endedBy = _opaqueBy;
    }

    public MergedEntry? Finish()
    {
        if (_leaf is { } leaf) return new MergedEntry(path, leaf.Layer, leaf.Entry, null, _hidden, null);
        if ((_source ?? _first) is { } directory) return new MergedEntry(path, directory.Layer, directory.Entry, _parts, _hidden, null);
        return _hidden.Count == 0 ? null : Removed();
    }

    /// <summary>What it was at last. Of a directory the first that has an entry, as where it is seen, unless it was removed or something else in between.</summary>
    private MergedEntry Removed()
    {
        var (by, shown, end) = (_hidden[0].By, 0, _goneFrom ?? _hidden.Count);
        while (shown < end && _hidden[shown].Entry.IsImplied) shown++;
        if (shown == end || _hidden[shown].Entry.Kind != EntryKind.Directory) shown = 0;
        var (layer, entry, _) = _hidden[shown];
        _hidden.RemoveAt(shown);
        return new MergedEntry(path, layer, entry, entry.Kind == EntryKind.Directory ? _parts : null, _hidden, by);
    }

    private void Hide(int layer, LayerEntry entry, int by)
    {
        if (!withHidden || entry.Kind == EntryKind.Removal) return;
        _hidden.Add((layer, entry, by));
        if (entry.Kind == EntryKind.Directory) _parts.Add(new TreePart(layer, by));
    }
}
