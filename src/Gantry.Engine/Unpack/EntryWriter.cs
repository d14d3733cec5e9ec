using Gantry.Engine.Posix;
using Gantry.Layers;
using Gantry.Layers.Tar;

namespace Gantry.Engine.Unpack;

/// <summary>
/// Makes in the stage what an entry of the archive says. What the entry makes is always new (O_EXCL and its kin): nothing is written to, or changed, through a
/// name that was there before. Metadata in the order owner, content, attributes, mode, time: the owner's change takes set-user-ID bits and capabilities away.
/// </summary>
internal sealed partial class EntryWriter(LayerStage stage, HardLinks links, UnpackMode mode) : IDisposable
{
    private const uint SpecialBits = 0xC00, OwnerReadsWrites = 0x180; // 06000, 0600

    private readonly AttributeWriter _attributes = new(stage, mode);
    private readonly WriteBehind _behind = new();
    private readonly List<Range> _components = [];

    public void Write(TarReader reader)
    {
        var entry = reader.Entry;
        var path = entry.Name.Span;
        stage.Budget.TakeEntry();

        // 1. The root itself.
        EntryName.Split(path, _components);
        if (_components.Count == 0)
        {
            if (entry.Type != TarEntryType.Directory) throw new LayerException(LayerFault.EntryType, "the layer makes the root something other than a directory");
            FillDirectory(stage.Root, entry);
            return;
        }

        // 2. What is no file but says something of the layers below.
        var name = path[_components[^1]];
        var directory = path[.._components[^1].Start];
        if (IsInReservedDirectory(path)) return;
        switch (EntryName.Whiteout(name))
        {
            case WhiteoutKind.Removed:
                var removed = name[EntryName.WhiteoutPrefix.Length..];
                stage.Budget.Retain(removed.Length + 48);
                stage.Resolver.Remember(directory).AddRemoved(removed);
                return;
            case WhiteoutKind.Opaque:
                stage.Resolver.Make(directory).IsOpaque = true;
                return;
            case WhiteoutKind.Ignored:
                return;
        }

        // 3. The thing itself, below a directory that is there now.
        var parent = stage.Resolver.Make(directory);
        if (parent.PathLength + 1 + name.Length >= EntryName.MaxPath) throw new LayerException(LayerFault.Path, $"the path of {Printable.Of(name)} is too long");
        switch (entry.Type)
        {
            case TarEntryType.RegularFile: WriteFile(reader, parent, name); break;
            case TarEntryType.Directory: WriteDirectory(parent, name, entry); break;
            case TarEntryType.SymbolicLink: WriteSymbolicLink(parent, name, entry); break;
            case TarEntryType.HardLink: links.Add(parent, name, entry); break;
            default: WriteNode(parent, name, entry); break;
        }
    }

    /// <summary>Waits until all files are written.</summary>
    public void Complete() => _behind.Drain();

    public void Dispose() => _behind.Dispose();

    /// <summary>True: one of AUFS's own, with all that is in it. Any other whiteout's name is no directory.</summary>
    private bool IsInReservedDirectory(ReadOnlySpan<byte> path)
    {
        for (var index = 0; index < _components.Count - 1; index++)
        {
            var component = path[_components[index]];
            switch (EntryName.Whiteout(component))
            {
                case WhiteoutKind.None: continue;
                case WhiteoutKind.Ignored: return true;
                default: throw new LayerException(LayerFault.Path, $"{Printable.Of(path)} lies in a whiteout");
            }
        }

        return false;
    }

    private void WriteFile(TarReader reader, StagedDirectory parent, ReadOnlySpan<byte> name)
    {
        var entry = reader.Entry;
        stage.Budget.TakeInode();
        stage.Budget.TakeSize(entry.Size);

        // Attributes are set on an open file, but only with the permission to write to it; the right mode follows.
        var hasAttributes = entry.Attributes.Count > 0;
        var first = (entry.Mode & ~SpecialBits) | (hasAttributes ? OwnerReadsWrites : 0);
        const int flags = Kernel.Create | Kernel.Exclusive | Kernel.WriteOnly;
        var opened = Kernel.Open(stage.Open.Of(parent), name, flags, first);
        if (opened == -Errno.Exists)
        {
            ReplaceOwn(parent, name, entry);
            opened = Kernel.Open(stage.Open.Of(parent), name, flags, first);
        }

        var file = PosixFault.Check(opened, "create", entry.Name.Span);
        _behind.Begin(file, entry.Name, entry.Size);
        if (NeedsOwner(entry)) CheckOwner(Kernel.ChangeOwner(file, entry.Uid, entry.Gid), entry);
        ContentWriter.Write(reader, file, _behind, stage.Budget);

        // Writing takes a capability away: attributes come when the content is there.
        if (hasAttributes) _behind.Drain();
        var hasAcl = hasAttributes && _attributes.Set(file, entry);
        _behind.End(hasAcl || NeedsMode(entry.Mode, first) ? entry.Mode : null, entry.Modified);
    }

    private void WriteDirectory(StagedDirectory parent, ReadOnlySpan<byte> name, TarEntry entry)
    {
        var directory = parent.Find(name);
        if (directory is not { IsMade: true })
        {
            var result = stage.TryMakeDirectory(parent, name, out directory);
            if (result == -Errno.Exists)
            {
                ReplaceOwn(parent, name, entry);
                result = stage.TryMakeDirectory(parent, name, out directory);
            }

            PosixFault.Check(result, "mkdir", entry.Name.Span);
        }

        FillDirectory(directory!, entry);
    }

    /// <summary>Mode and time wait until everything in it is done.</summary>
    private void FillDirectory(StagedDirectory directory, TarEntry entry)
    {
        var isAgain = !directory.IsImplied;
        if (isAgain) stage.Tolerate(LayerFault.Path, $"the directory {Printable.Of(entry.Name.Span)} is there twice");
        (directory.IsImplied, directory.Mode, directory.Modified, directory.DefaultAcl) = (false, entry.Mode, entry.Modified, null);
        if (!isAgain && !NeedsOwner(entry) && entry.Attributes.Count == 0) return;

        var descriptor = stage.Open.Of(directory);
        CheckOwner(Kernel.ChangeOwner(descriptor, entry.Uid, entry.Gid), entry);
        if (isAgain) AttributeWriter.Clear(descriptor);
        _attributes.Set(descriptor, directory, entry);
    }

    /// <summary>The same path twice in one layer: the later one counts.</summary>
    private void ReplaceOwn(StagedDirectory parent, ReadOnlySpan<byte> name, TarEntry entry)
    {
        stage.Tolerate(LayerFault.Path, $"{Printable.Of(entry.Name.Span)} is there twice");
        stage.Clear(parent, name);
    }

    private bool NeedsOwner(TarEntry entry) => entry.Uid != stage.Privileges.User || entry.Gid != stage.Privileges.Group;

    /// <summary>What was asked of open or mknod is what the file has, less the umask.</summary>
    private bool NeedsMode(uint wanted, uint asked) => wanted != asked || (wanted & stage.Privileges.Umask) != 0;

    private void CheckOwner(int result, TarEntry entry)
    {
        if (result is (-Errno.NotPermitted or -Errno.Invalid) && !stage.Privileges.IsPrivileged) stage.Warnings.Add("files belong to this user: others cannot be given any without privileges");
        else PosixFault.Check(result, "chown", entry.Name.Span);
    }
}
