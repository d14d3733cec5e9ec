namespace Gantry.Layers;

/// <summary>What a name says of the layers below (image-spec, "Whiteouts").</summary>
public enum WhiteoutKind
{
    /// <summary>An ordinary name.</summary>
    None,

    /// <summary><c>.wh.NAME</c>: NAME of the layers below is gone.</summary>
    Removed,

    /// <summary><c>.wh..wh..opq</c>: everything that the layers below have in this directory is gone.</summary>
    Opaque,

    /// <summary><c>.wh..wh.</c> and anything else: what AUFS kept for itself, nothing of the image's.</summary>
    Ignored,
}

/// <summary>What the names in an archive mean as paths below the image's root.</summary>
public static class EntryName
{
    /// <summary>Linux's longest component.</summary>
    public const int MaxComponent = 255;

    /// <summary>Linux's longest path; without it a name of 1 MiB would be half a million directories.</summary>
    public const int MaxPath = 4096;

    /// <summary>What a whiteout's name starts with; the rest is the name that it removes.</summary>
    public static ReadOnlySpan<byte> WhiteoutPrefix => ".wh."u8;

    private static ReadOnlySpan<byte> AufsPrefix => ".wh..wh."u8;

    /// <summary>
    /// Puts where the components of <paramref name="name"/> lie into <paramref name="components"/>, emptied first: a leading slash, doubled and trailing
    /// ones and "." say nothing. No component at all is the root. "..", NUL, and what Linux finds too long are a <see cref="LayerException"/>.
    /// </summary>
    public static void Split(ReadOnlySpan<byte> name, List<Range> components)
    {
        components.Clear();
        if (name.Contains((byte)0)) throw Bad("has NUL in it", name);
        var length = 0;
        for (var start = 0; start < name.Length;)
        {
            var slash = name[start..].IndexOf((byte)'/');
            var end = slash < 0 ? name.Length : start + slash;
            var component = name[start..end];
            if (component.Length > MaxComponent) throw Bad("has a component that is too long", name);
            if (component.SequenceEqual(".."u8)) throw Bad("leads upwards", name);
            if (!component.IsEmpty && !component.SequenceEqual("."u8))
            {
                length += component.Length + (components.Count == 0 ? 0 : 1);
                if (length > MaxPath) throw Bad("is too long", name);
                components.Add(start..end);
            }

            start = end + 1;
        }
    }

    /// <summary>
    /// What the last component of a name says. A whiteout of nothing, of "." and of ".." is a <see cref="LayerException"/>. Asked of a component that is not the
    /// last one, anything but <see cref="WhiteoutKind.None"/> means that the entry lies in a directory that no image can have.
    /// </summary>
    public static WhiteoutKind Whiteout(ReadOnlySpan<byte> lastComponent)
    {
        if (!lastComponent.StartsWith(WhiteoutPrefix)) return WhiteoutKind.None;
        if (lastComponent.SequenceEqual(".wh..wh..opq"u8)) return WhiteoutKind.Opaque;
        if (lastComponent.StartsWith(AufsPrefix)) return WhiteoutKind.Ignored;
        var removed = lastComponent[WhiteoutPrefix.Length..];
        var isName = !removed.IsEmpty && !removed.SequenceEqual("."u8) && !removed.SequenceEqual(".."u8);
        return isName ? WhiteoutKind.Removed : throw Bad("is a whiteout of nothing", lastComponent);
    }

    private static LayerException Bad(string what, ReadOnlySpan<byte> name) => new(LayerFault.Path, $"the name {Printable.Of(name)} {what}");
}
