namespace Gantry.Layers.Tar;

/// <summary>For readers that come back for one entry's bytes later.</summary>
public sealed partial class TarReader
{
    /// <summary>
    /// Where in the stream, counted from where this reader began, the content of the current entry starts; to be asked right after <see cref="Next"/>. Null for a
    /// sparse file, whose content is not in one piece.
    /// </summary>
    public long? ContentPosition => _isSparse ? null : _input.Position;
}
