using Gantry.Core.Look;

namespace Gantry.Server.Ui;

/// <summary>What a file is and who may what with it, as <c>ls -l</c> writes it.</summary>
internal static class ModeText
{
    private const string Bits = "rwxrwxrwx";

    public static string Of(EntryKind kind, uint mode)
    {
        Span<char> text = stackalloc char[10];
        text[0] = kind switch
        {
            EntryKind.Directory => 'd', EntryKind.SymbolicLink => 'l', EntryKind.CharacterDevice => 'c', EntryKind.BlockDevice => 'b', EntryKind.Fifo => 'p', _ => '-',
        };
        for (var bit = 0; bit < Bits.Length; bit++) text[bit + 1] = (mode & (0x100u >> bit)) != 0 ? Bits[bit] : '-';
        // Set-user, set-group, sticky.
        foreach (var (bit, at, letter) in new[] { (0x800u, 3, 's'), (0x400u, 6, 's'), (0x200u, 9, 't') })
        {
            if ((mode & bit) != 0) text[at] = text[at] == 'x' ? letter : char.ToUpperInvariant(letter);
        }

        return text.ToString();
    }

    public static string WordOf(EntryKind kind) => kind switch
    {
        EntryKind.File => "file",
        EntryKind.Directory => "directory",
        EntryKind.SymbolicLink => "symbolic link",
        EntryKind.HardLink => "hard link",
        EntryKind.CharacterDevice => "character device",
        EntryKind.BlockDevice => "block device",
        EntryKind.Fifo => "named pipe",
        _ => "whiteout",
    };
}
