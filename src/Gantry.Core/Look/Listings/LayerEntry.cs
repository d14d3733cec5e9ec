namespace Gantry.Core.Look.Listings;

/// <summary>One name of a layer, after all that the layer says of it: of two entries the later, links within the layer followed.</summary>
/// <param name="Key">See <see cref="EntryKey"/>.</param>
/// <param name="Record">What it is.</param>
/// <param name="Marks">What it says of the layers below.</param>
/// <param name="Link">The path that a hard link names; null for what is none.</param>
internal sealed record LayerEntry(byte[] Key, EntryRecord Record, EntryMarks Marks, byte[]? Link)
{
    public EntryKind Kind => Record.Kind;

    public ReadOnlySpan<byte> Name => EntryKey.NameOf(Key);

    public bool IsImplied => (Marks & EntryMarks.Implied) != EntryMarks.None;

    public bool IsOpaque => (Marks & EntryMarks.Opaque) != EntryMarks.None;
}

[Flags]
internal enum EntryMarks
{
    None = 0,

    /// <summary>A directory because something is in it: its metadata is that of the layers below, where they have it.</summary>
    Implied = 1,

    /// <summary>A directory in which nothing of the layers below is seen.</summary>
    Opaque = 2,

    /// <summary>It has a hard link's path.</summary>
    Linked = 4,
}
