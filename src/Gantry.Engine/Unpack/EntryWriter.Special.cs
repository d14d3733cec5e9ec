using Gantry.Engine.Posix;
using Gantry.Layers;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Unpack;

/// <summary>What has no content: symbolic links, devices, pipes. None of them is ever opened.</summary>
internal sealed partial class EntryWriter
{
    private void WriteSymbolicLink(StagedDirectory parent, ReadOnlySpan<byte> name, TarEntry entry)
    {
        stage.Budget.TakeInode();
        var directory = stage.Open.Of(parent);
        var result = Kernel.MakeSymbolicLink(entry.LinkName.Span, directory, name);
        if (result == -Errno.Exists)
        {
            ReplaceOwn(parent, name, entry);
            result = Kernel.MakeSymbolicLink(entry.LinkName.Span, directory = stage.Open.Of(parent), name);
        }

        PosixFault.Check(result, "symlink", entry.Name.Span);
        Finish(directory, name, entry, setsMode: false);
    }

    private void WriteNode(StagedDirectory parent, ReadOnlySpan<byte> name, TarEntry entry)
    {
        var (kind, device) = (FileKind.Fifo, 0UL);
        if (entry.Type != TarEntryType.Fifo)
        {
            if (!stage.Options.Devices) throw Refused(entry, "is a device, which the options do not allow");

            // Overlayfs reads a device 0:0 as "removed here". An image has its own way to say so.
            if (entry is { Type: TarEntryType.CharacterDevice, DeviceMajor: 0, DeviceMinor: 0 })
            {
                stage.Tolerate(LayerFault.EntryType, $"{Printable.Of(entry.Name.Span)} is left out: a device 0:0 means a removal to overlayfs");
                return;
            }

            kind = entry.Type == TarEntryType.CharacterDevice ? FileKind.CharacterDevice : FileKind.BlockDevice;
            device = Kernel.DeviceNumber(entry.DeviceMajor, entry.DeviceMinor) ?? throw Refused(entry, "is a device of a number that Linux does not have");
        }

        stage.Budget.TakeInode();
        var directory = stage.Open.Of(parent);
        var first = entry.Mode & ~SpecialBits;
        var result = Kernel.MakeNode(directory, name, kind, first, device);
        if (result == -Errno.Exists)
        {
            ReplaceOwn(parent, name, entry);
            result = Kernel.MakeNode(directory = stage.Open.Of(parent), name, kind, first, device);
        }

        if (result == -Errno.NotPermitted && kind != FileKind.Fifo && !stage.Privileges.IsPrivileged)
        {
            stage.Warnings.Add("devices are left out: they cannot be made without privileges");
            return;
        }

        PosixFault.Check(result, "mknod", entry.Name.Span);
        Finish(directory, name, entry, setsMode: NeedsMode(entry.Mode, first));
    }

    private void Finish(int directory, ReadOnlySpan<byte> name, TarEntry entry, bool setsMode)
    {
        if (NeedsOwner(entry)) CheckOwner(Kernel.ChangeOwner(directory, name, entry.Uid, entry.Gid), entry);
        setsMode |= _attributes.Set(directory, name, entry) && entry.Type != TarEntryType.SymbolicLink;
        if (setsMode) PosixFault.Check(Kernel.ChangeMode(directory, name, entry.Mode), "chmod", entry.Name.Span);
        PosixFault.Check(Kernel.SetModified(directory, name, entry.Modified), "utimens", entry.Name.Span);
    }

    private static LayerException Refused(TarEntry entry, string why) => new(LayerFault.EntryType, $"{Printable.Of(entry.Name.Span)} {why}");
}
