namespace Gantry.Core.Look;

/// <summary>What an entry of a layer is.</summary>
public enum EntryKind
{
    File,
    Directory,
    SymbolicLink,

    /// <summary>Another name for a file of the layers below. One for a file of its own layer is what that file is.</summary>
    HardLink,
    CharacterDevice,
    BlockDevice,
    Fifo,

    /// <summary>A whiteout: the name of the layers below is gone.</summary>
    Removal,
}
