using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>Archives of few names, so that everything meets everything.</summary>
internal sealed class RandomLayers(int seed)
{
    private static readonly string[] Names = ["a", "b", "c", "d"];
    private static readonly string[] Targets = ["a", "b", "/a", "../a", "a/b", "/b/c", "..", "/", "../../canary", "../canarydir", ".", "c/../d", "/proc/self/root"];

    private readonly Random _random = new(seed);
    private readonly List<string> _files = [];
    private int _next;

    /// <summary>The last archive, for a failing test's message.</summary>
    public List<string> Log { get; } = [];

    public TarBytes[] Chain()
    {
        Log.Clear();
        _files.Clear();
        return [.. Enumerable.Range(0, _random.Next(1, 5)).Select(_ => Layer())];
    }

    private TarBytes Layer()
    {
        Log.Add("layer");
        var layer = new TarBytes();
        for (var count = _random.Next(1, 12); count > 0; count--) Add(layer);
        return layer.End();
    }

    private void Add(TarBytes layer)
    {
        var path = Path();
        var number = ++_next;
        var mode = _random.Next(3) switch { 0 => 0b111_101_101, 1 => _random.Next(4096), _ => 0b110_100_000 };
        var owner = _random.Next(3) == 0 ? 1000 + _random.Next(2) : 0;
        var attributed = _random.Next(5) == 0;
        void Meta(TarHeaderBytes header) => header.Mode(mode).Uid(owner).Gid(owner);
        switch (_random.Next(12))
        {
            case 0 or 1 or 2: Log.Add($"file {path} {number}"); _files.Add(path); Pax(layer, attributed, number).File(path, $"{number}", Meta); break;
            case 3 or 4: Log.Add($"dir {path} {number}"); Pax(layer, attributed, number).Directory(_random.Next(12) == 0 ? "./" : path, Meta); break;
            case 5 or 6: var to = Pick(Targets); Log.Add($"symlink {path} {to}"); Pax(layer, false, number).SymbolicLink(path, to); break;
            case 7 or 8: var target = _files.Count == 0 || _random.Next(12) == 0 ? Path() : Pick([.. _files]); Log.Add($"link {path} {target}"); layer.HardLink(path, target); break;
            case 9: Log.Add($"whiteout {path}"); layer.File(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path)!, $".wh.{System.IO.Path.GetFileName(path)}")); break;
            case 10: Log.Add($"opaque {path}"); layer.File(_random.Next(10) == 0 ? ".wh..wh..opq" : $"{path}/.wh..wh..opq"); break;
            default: Log.Add($"fifo {path}"); Pax(layer, false, number).Fifo(path, Meta); break;
        }
    }

    private static TarBytes Pax(TarBytes layer, bool attributed, int number) => attributed
        ? layer.Pax(("mtime", $"{1000 + number}.{number:d9}"), ($"SCHILY.xattr.user.n{number % 3}", $"{number}"))
        : layer.Pax(("mtime", $"{1000 + number}.{number:d9}"));

    private string Path() => string.Join('/', Enumerable.Range(0, _random.Next(1, 4)).Select(_ => Pick(Names)));

    private string Pick(string[] from) => from[_random.Next(from.Length)];
}
