using Gantry.Engine.Posix;
using Gantry.Layers;

namespace Gantry.Engine.Unpack;

/// <summary>
/// From the names in an archive to directories of the layer. Symbolic links that the layer itself has made on the way are followed as chroot would: an absolute
/// one starts at the layer's root, ".." stops there. The walk is over what we remember; the kernel is asked for one component at a time and never follows any.
/// </summary>
internal sealed class PathResolver(LayerStage stage)
{
    // The kernel's own limit, and one on the work that a single name can ask for.
    private const int MaxLinks = 40, MaxSteps = 20_000;

    private readonly byte[] _target = new byte[EntryName.MaxPath];
    private byte[] _lastName = [];
    private int _lastLength;
    private StagedDirectory? _last;

    private enum Missing
    {
        Make,
        Remember,
        Stop,
    }

    /// <summary>The directory that <paramref name="path"/> names, made with its parents where it is not there.</summary>
    public StagedDirectory Make(ReadOnlySpan<byte> path)
    {
        if (_last is not null && path.SequenceEqual(_lastName.AsSpan(0, _lastLength))) return _last;
        var found = Walk(path, Missing.Make, out _)!;
        if (_lastName.Length < path.Length) _lastName = new byte[path.Length];
        path.CopyTo(_lastName);
        (_lastLength, _last) = (path.Length, found);
        return found;
    }

    /// <summary>The same for a removal: what is not there is remembered and not made.</summary>
    public StagedDirectory Remember(ReadOnlySpan<byte> path) => Walk(path, Missing.Remember, out _)!;

    /// <summary>Null where the layer has no such directory; then <paramref name="elsewhere"/> is where it would be in the layers below.</summary>
    public StagedDirectory? Find(ReadOnlySpan<byte> path, out byte[] elsewhere) => Walk(path, Missing.Stop, out elsewhere);

    /// <summary>After anything was removed: a name may mean another directory now.</summary>
    public void Forget() => _last = null;

    private StagedDirectory? Walk(ReadOnlySpan<byte> path, Missing missing, out byte[] elsewhere)
    {
        var at = stage.Root;
        var rest = path;
        var (links, steps) = (0, 0);
        var ownLength = path.Length;
        elsewhere = [];
        while (TakeComponent(ref rest, out var component))
        {
            if (++steps > MaxSteps) throw TooFar(path);
            if (component.SequenceEqual(".."u8))
            {
                at = at.Parent ?? at;
                continue;
            }

            // 1. A directory we know.
            if (at.Find(component) is { } known && (known.IsMade || missing == Missing.Remember))
            {
                at = known;
                continue;
            }

            // 2. None yet.
            if (missing == Missing.Make)
            {
                var result = stage.TryMakeDirectory(at, component, out var made);
                if (result == 0)
                {
                    at = made!;
                    continue;
                }

                if (result != -Errno.Exists) PosixFault.Check(result, "mkdir", component);
            }

            // 3. A symbolic link: its target comes before what is left.
            var length = at.IsMade ? Kernel.ReadLink(stage.Open.Of(at), component, _target) : -Errno.NoEntry;
            if (length >= 0)
            {
                if (++links > MaxLinks) throw TooFar(path);
                if (_target[0] == '/') at = stage.Root;
                ownLength = Math.Min(ownLength, rest.Length);
                rest = (byte[])[.. _target.AsSpan(0, length), (byte)'/', .. rest];
                continue;
            }

            if (length is not (-Errno.Invalid or -Errno.NoEntry)) PosixFault.Check(length, "readlink", component);

            // 4. Nothing, or a file.
            if (missing == Missing.Stop)
            {
                elsewhere = Remaining(at, component, rest);
                return null;
            }

            at = missing == Missing.Remember ? at.Find(component) ?? stage.Remember(at, component) : ReplaceFile(at, component, isNamed: rest.Length < ownLength, path);
        }

        return at;
    }

    /// <summary>The later entry wins over the file, but not where a link leads to it: nobody asked for that file to go.</summary>
    private StagedDirectory ReplaceFile(StagedDirectory at, ReadOnlySpan<byte> component, bool isNamed, ReadOnlySpan<byte> path)
    {
        if (!isNamed) throw new LayerException(LayerFault.Link, $"{Printable.Of(path)} leads through a link to something that is no directory");
        stage.Tolerate(LayerFault.Path, $"{Printable.Of(path)} is a file at first and a directory later");
        stage.Clear(at, component);
        PosixFault.Check(stage.TryMakeDirectory(at, component, out var made), "mkdir", component);
        return made!;
    }

    private static byte[] Remaining(StagedDirectory at, ReadOnlySpan<byte> component, ReadOnlySpan<byte> rest)
    {
        var path = ByteNames.Join(at.PathBelow(), component);
        while (TakeComponent(ref rest, out var next))
        {
            path = next.SequenceEqual(".."u8) ? ByteNames.DirectoryOf(path, out _).ToArray() : ByteNames.Join(path, next);
        }

        return path;
    }

    private static bool TakeComponent(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> component)
    {
        do
        {
            var slash = rest.IndexOf((byte)'/');
            component = slash < 0 ? rest : rest[..slash];
            rest = slash < 0 ? default : rest[(slash + 1)..];
            if (!component.IsEmpty && !component.SequenceEqual("."u8)) return true;
        }
        while (!rest.IsEmpty);
        return false;
    }

    private static LayerException TooFar(ReadOnlySpan<byte> path) =>
        new(LayerFault.Link, $"{Printable.Of(path)} goes through too many symbolic links, or round in a circle");
}
