using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Gantry.Engine.Posix;
using Gantry.Engine.Unpack;
using Gantry.Layers;
using Gantry.Layers.Tar;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>
/// A directory of its own with a root to unpack into and canaries around it, as PULL.md's section C has it. Unpacks the same layers in both modes and compares
/// what each shows. Needs root: owners, devices and overlay mounts are real.
/// </summary>
internal sealed partial class UnpackSandbox : IDisposable
{
    private readonly string _id = Guid.NewGuid().ToString("N");
    private readonly string _canaryInTmp;
    private readonly string _canaries;
    private int _trees;

    public UnpackSandbox()
    {
        Assert.True(Libc.EffectiveUser() == 0, "these tests unpack images as root does: run them as root");
        Directory = Path.Combine(System.IO.Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"gantry-unpack-{_id}");
        _canaryInTmp = Path.Combine(Path.GetTempPath(), $"pull-canary-{_id}");
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "canarydir"));
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "root-evil"));
        System.IO.Directory.CreateDirectory(Root);
        foreach (var canary in (string[])[Path.Combine(Directory, "canary"), Path.Combine(Directory, "canarydir", "x"), _canaryInTmp]) File.WriteAllText(canary, "alive");
        _canaries = Canaries();
    }

    /// <summary>Around the root: what a layer must never reach.</summary>
    public string Directory { get; }

    public string Root => Path.Combine(Directory, "root");

    /// <summary>Outside of the sandbox, by an absolute path.</summary>
    public string CanaryInTmp => _canaryInTmp;

    /// <summary>Unpacks, and links chains, as on a machine without the call.</summary>
    public bool IsWithoutOpenat2 { get; init; }

    public List<LayerNotes> Notes { get; } = [];

    public static UnpackOptions Strict { get; } = new() { Strict = true };

    /// <summary>Unpacks the layers flat and as an overlay, asserts that both show the same, and gives what they show.</summary>
    public TreeSnapshot Both(params TarBytes[] layers) => Both(new UnpackOptions(), layers);

    public TreeSnapshot Both(UnpackOptions options, params TarBytes[] layers)
    {
        var flat = Flat(options, layers);
        Assert.Equal(flat.ToString(), Overlay(options, layers).ToString());
        AssertCanaries();
        return flat;
    }

    /// <summary>Asserts that the last layer is refused in both modes, that the tree of those before stays as it was, and that nothing is left.</summary>
    public LayerException Refuses(params TarBytes[] layers) => Refuses(new UnpackOptions(), layers);

    public LayerException Refuses(UnpackOptions options, params TarBytes[] layers)
    {
        var before = Flat(options, layers[..^1]).ToString();
        using (Way())
        using (var unpacker = new LayerUnpacker(LastTree, UnpackMode.Flat, options))
        {
            var flat = Assert.Throws<LayerException>(() => unpacker.Apply(layers[^1].ToStream(), default));
            Assert.Equal(before, TreeSnapshot.Of(LastTree).ToString());
            Assert.DoesNotContain(flat.Message, char.IsControl);
        }

        var refusal = Assert.Throws<LayerException>(() => Overlay(options, layers));
        Assert.Empty(System.IO.Directory.EnumerateFileSystemEntries(LastTree));
        AssertCanaries();
        return refusal;
    }

    public TreeSnapshot Flat(params TarBytes[] layers) => Flat(new UnpackOptions(), layers);

    public TreeSnapshot Flat(UnpackOptions options, params TarBytes[] layers)
    {
        var tree = NewTree("flat");
        using var way = Way();
        using var unpacker = new LayerUnpacker(tree, UnpackMode.Flat, options);
        Notes.Clear();
        foreach (var layer in layers) Notes.Add(unpacker.Apply(layer.ToStream(), default));
        return TreeSnapshot.Of(tree);
    }

    /// <summary>Each layer alone, their corrections, and what the kernel makes of them.</summary>
    public TreeSnapshot Overlay(UnpackOptions options, params TarBytes[] layers)
    {
        var chain = new List<ChainLayer>();
        foreach (var (index, layer) in layers.Index()) chain.Add(Alone(options, layer, $"layer {index}"));
        return Mounted(chain);
    }

    public ChainLayer Alone(UnpackOptions options, TarBytes layer, string name)
    {
        var tree = NewTree("layer");
        using var way = Way();
        using var unpacker = new LayerUnpacker(tree, UnpackMode.Layer, options);
        var notes = unpacker.Apply(layer.ToStream(), default);

        // As a store keeps them.
        var saved = new MemoryStream();
        notes.Save(saved);
        saved.Position = 0;
        return new ChainLayer(tree, LayerNotes.Load(saved), name);
    }

    public TreeSnapshot Mounted(IReadOnlyList<ChainLayer> chain)
    {
        var corrections = NewTree("fix");
        using var way = Way();
        var links = new ChainLinker(chain).Link(corrections);
        if (!links.IsNeeded) Assert.Empty(System.IO.Directory.EnumerateFileSystemEntries(corrections));
        var lower = chain.Skip(links.Lowest).Reverse().Select(layer => layer.Directory).ToList();
        if (links.IsNeeded) lower.Insert(0, corrections);
        while (lower.Count < 2) lower.Add(NewTree("empty"));

        var view = NewTree("view");
        Mount("overlay", view, "overlay", 1, $"lowerdir={string.Join(':', lower)}");
        try
        {
            return TreeSnapshot.Of(view);
        }
        finally
        {
            Assert.Equal(0, Unmount(view, 2));
        }
    }

    public void AssertCanaries() => Assert.Equal(_canaries, Canaries());

    /// <summary>The directory used last: the one that a refused layer was to be unpacked into.</summary>
    public string LastTree { get; private set; } = "";

    /// <summary>An empty directory of mode 0755 and the year 1970, within the root's.</summary>
    public string NewTree(string kind)
    {
        var path = LastTree = Path.Combine(Root, $"{kind}{_trees++}");
        System.IO.Directory.CreateDirectory(path, (UnixFileMode)0x1ED);
        using var opened = new Descriptor(Kernel.OpenDirectory(path));
        Kernel.ChangeMode(opened.Number, 0x1ED);
        Kernel.SetModified(opened.Number, default(TarTime));
        return path;
    }

    public void Dispose()
    {
        TreeRemoval.Remove(Directory);
        File.Delete(_canaryInTmp);
    }

    /// <summary>The switch is the thread's, and what is asked of the engine runs on the caller's.</summary>
    private WayOfOpening Way() => new(IsWithoutOpenat2);

    /// <summary>Everything in the sandbox but what lies in the trees themselves: a new path outside of a tree is a change.</summary>
    private string Canaries()
    {
        var around = new StringBuilder();
        foreach (var path in System.IO.Directory.EnumerateFileSystemEntries(Directory).Order(StringComparer.Ordinal))
        {
            if (path == Root) continue;
            around.AppendLine(path).AppendLine(Describe(path));
            if (System.IO.Directory.Exists(path)) around.AppendLine(TreeSnapshot.Of(path).ToString());
        }

        // Trees hold no files of their own side by side: whatever climbed out of one would be seen here.
        foreach (var path in System.IO.Directory.EnumerateFileSystemEntries(Root).Order(StringComparer.Ordinal))
        {
            if (!TreeName().IsMatch(Path.GetFileName(path))) around.AppendLine($"stray {path}");
        }

        return around.AppendLine(Describe(_canaryInTmp)).ToString();
    }

    private static string Describe(string path)
    {
        using var parent = new Descriptor(PosixFault.Check(Kernel.OpenDirectory(Path.GetDirectoryName(path)!), "open", default));
        PosixFault.Check(Kernel.Status(parent.Number, Encoding.UTF8.GetBytes(Path.GetFileName(path)), out var status), "stat", default);
        var list = new byte[4096];
        var attributes = PosixFault.Check(Kernel.ListAttributes(parent.Number, Encoding.UTF8.GetBytes(Path.GetFileName(path)), list), "listxattr", default);
        return $"{status} {Convert.ToHexString(list.AsSpan(0, attributes))} {(status.IsDirectory ? "" : File.ReadAllText(path))}";
    }

    [System.Text.RegularExpressions.GeneratedRegex("^(flat|layer|fix|empty|view)[0-9]+$")]
    private static partial System.Text.RegularExpressions.Regex TreeName();

    private static void Mount(string source, string target, string kind, ulong flags, string data)
    {
        if (MountCall(source, target, kind, flags, data) != 0)
            throw new UnreachableException($"cannot mount an overlay (root of the machine is needed): {Marshal.GetLastPInvokeErrorMessage()}; {data}");
    }

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MountCall(string source, string target, string kind, ulong flags, string data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);

    private sealed class WayOfOpening : IDisposable
    {
        public WayOfOpening(bool isWithoutOpenat2) => Kernel.IsWithoutOpenat2 = isWithoutOpenat2;

        public void Dispose() => Kernel.IsWithoutOpenat2 = false;
    }
}
