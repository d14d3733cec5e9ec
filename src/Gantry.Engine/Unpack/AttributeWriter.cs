using Gantry.Engine.Posix;
using Gantry.Layers;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Unpack;

/// <summary>Sets an entry's extended attributes on what was just made for it.</summary>
internal sealed class AttributeWriter(LayerStage stage, UnpackMode mode)
{
    /// <summary>On an open file. True: an ACL was among them, which changes the mode.</summary>
    public bool Set(int file, TarEntry entry) => Set(entry, file, default, null);

    /// <summary>On what must not be opened; <c>user.</c> attributes, which only files and directories have, are left out.</summary>
    public bool Set(int directory, ReadOnlySpan<byte> name, TarEntry entry) => Set(entry, directory, name, null);

    /// <summary>On a directory: a default ACL waits until nothing can inherit it any more.</summary>
    public void Set(int descriptor, StagedDirectory directory, TarEntry entry) => Set(entry, descriptor, default, directory);

    /// <summary>Removes what a directory has, before others replace it.</summary>
    public static void Clear(int directory)
    {
        var list = new byte[Kernel.MaxAttributeList];
        var length = Kernel.ListAttributes(directory, list);
        if (length == -Errno.NotSupported) return;
        var names = list.AsSpan(0, PosixFault.Check(length, "listxattr", default));
        while (!names.IsEmpty)
        {
            var name = names[..names.IndexOf((byte)0)];
            names = names[(name.Length + 1)..];
            if (!AttributePolicy.IsKept(name)) continue;
            var result = Kernel.RemoveAttribute(directory, name);
            if (result != -Errno.NoData && !AttributePolicy.IsRefusal(result)) PosixFault.Check(result, "removexattr", name);
        }
    }

    private bool Set(TarEntry entry, int descriptor, ReadOnlySpan<byte> file, StagedDirectory? directory)
    {
        if (entry.Attributes.Count == 0) return false;
        AttributePolicy.Check(entry.Attributes, entry.Name.Span);
        var hasAcl = false;
        for (var index = 0; index < entry.Attributes.Count; index++)
        {
            var (name, value) = entry.Attributes[index];
            switch (AttributePolicy.Judge(name.Span, mode, stage.Privileges, out var escaped))
            {
                case AttributeFate.Warn: Warn(name.Span); continue;
                case AttributeFate.Skip: continue;
            }

            if (directory is not null && name.Span.SequenceEqual(AttributePolicy.DefaultAcl))
            {
                stage.Budget.Retain(value.Length);
                directory.DefaultAcl = value.ToArray();
                continue;
            }

            var key = escaped ?? name.Span;
            var result = file.IsEmpty ? Kernel.SetAttribute(descriptor, key, value.Span) : Kernel.SetAttribute(descriptor, file, key, value.Span);
            hasAcl |= AttributePolicy.IsAcl(name.Span);
            if (AttributePolicy.IsRefusal(result))
            {
                if (file.IsEmpty || !name.Span.StartsWith("user."u8)) Warn(name.Span);
            }
            else if (result == -Errno.Invalid) throw new LayerException(LayerFault.Archive, $"the extended attribute {Printable.Of(name.Span)} has no valid value");
            else PosixFault.Check(result, "setxattr", entry.Name.Span);
        }

        return hasAcl;
    }

    private void Warn(ReadOnlySpan<byte> attribute) => stage.Warnings.Add($"extended attributes {Printable.Of(attribute)} are left out");
}
