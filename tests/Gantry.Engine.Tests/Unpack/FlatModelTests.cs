using Gantry.Engine.Posix;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>
/// Random chains of files, directories, whiteouts and opaque markers against a model of the image-spec's words in forty lines: what a layer has, what it
/// removes, and one put onto the other.
/// </summary>
public sealed class FlatModelTests
{
    private const int Chains = 400;

    private static readonly string[] Names = ["a", "b", "c"];

    [Fact]
    [Trait("Pull", "B42")]
    [Trait("Pull", "B43")]
    [Trait("Pull", "B47")]
    [Trait("Pull", "B52")]
    [Trait("Pull", "B53")]
    [Trait("Pull", "B56")]
    [Trait("Pull", "B57")]
    public void RandomChains_AreWhatTheModelSays()
    {
        var random = new Random(7);
        using var sandbox = new UnpackSandbox();
        for (var chain = 0; chain < Chains; chain++)
        {
            var model = new SortedDictionary<string, Node>(StringComparer.Ordinal);
            var (layers, log) = (new List<TarBytes>(), new List<string>());
            for (var count = random.Next(1, 4); count > 0; count--) layers.Add(Layer(random, model, log));

            var tree = sandbox.Flat([.. layers]);

            var expected = string.Join('\n', model.Select(item => $"{item.Key} {item.Value.Content} {item.Value.Mode} {item.Value.Time}"));
            var actual = string.Join('\n', tree.Paths.Select(path => $"{path} {(tree[path].Kind == FileKind.Directory ? "dir" : tree.Content(path)[3..])} {tree[path].Mode} {tree[path].Modified.Seconds}"));
            Assert.True(expected == actual, $"chain {chain}\n{string.Join('\n', log)}\n--- model\n{expected}\n--- tree\n{actual}");
        }
    }

    private static TarBytes Layer(Random random, SortedDictionary<string, Node> state, List<string> log)
    {
        log.Add("layer");
        var layer = new TarBytes();
        var own = new SortedDictionary<string, Node>(StringComparer.Ordinal);
        var (removed, opaque) = (new HashSet<string>(), new HashSet<string>());
        for (var count = random.Next(1, 9); count > 0; count--)
        {
            var path = string.Join('/', Enumerable.Range(0, random.Next(1, 4)).Select(_ => Names[random.Next(3)]));
            var (mode, time) = (random.Next(512), random.Next(10, 99));
            var kind = random.Next(6);
            log.Add($"{kind} {path} {time}");
            void Meta(TarHeaderBytes header) => header.Mode(mode).Modified(time);
            switch (kind)
            {
                case 0 or 1:
                    layer.File(path, $"{time}", Meta);
                    Parents(own, path);
                    RemoveTree(own, path);
                    own[path] = new Node($"{time}", mode, time, true);
                    break;
                case 2:
                    layer.Directory(path, Meta);
                    Parents(own, $"{path}/");
                    own[path] = new Node("dir", mode, time, true);
                    break;
                case 3:
                    layer.File($"{path}/.wh..wh..opq");
                    Parents(own, $"{path}/");
                    opaque.Add(path);
                    break;
                default:
                    layer.File($"{path[..(path.LastIndexOf('/') + 1)]}.wh.{Names.First(name => path.EndsWith(name, StringComparison.Ordinal))}");
                    removed.Add(path);
                    break;
            }
        }

        // A marker's directory that became a file is no marker, and one that gave way to something else meanwhile is there. A removal needs its directory, unless that is removed itself, or a file.
        opaque.RemoveWhere(path => Above($"{path}/").Any(directory => own.TryGetValue(directory, out var node) && node.Content != "dir"));
        foreach (var path in opaque) Parents(own, $"{path}/");
        var made = own.Keys.ToHashSet();
        foreach (var path in removed)
        {
            var above = Above(path).ToList();
            if (above.Any(directory => own.TryGetValue(directory, out var node) && node.Content != "dir")) continue;
            if (!above.Any(directory => removed.Contains(directory) && !made.Contains(directory))) Parents(own, path);
        }

        foreach (var path in removed) RemoveTree(state, path);
        foreach (var path in opaque) RemoveTree(state, $"{path}/");
        foreach (var (path, node) in own)
        {
            var isMerge = node.Content == "dir" && state.TryGetValue(path, out var old) && old.Content == "dir";
            if (isMerge && !node.IsExplicit) continue;
            if (!isMerge) RemoveTree(state, path);
            state[path] = node;
        }

        return layer.End();
    }

    private static void Parents(SortedDictionary<string, Node> own, string path)
    {
        foreach (var directory in Above(path))
        {
            if (own.TryGetValue(directory, out var node) && node.Content == "dir") continue;
            own[directory] = new Node("dir", 0b111_101_101, 0, false);
        }
    }

    private static IEnumerable<string> Above(string path) => Enumerable.Range(0, path.Length).Where(index => path[index] == '/').Select(index => path[..index]);

    private static void RemoveTree(SortedDictionary<string, Node> tree, string path)
    {
        var below = path.EndsWith('/') ? path : $"{path}/";
        foreach (var gone in tree.Keys.Where(key => key == path || key.StartsWith(below, StringComparison.Ordinal)).ToList()) tree.Remove(gone);
    }

    private sealed record Node(string Content, int Mode, int Time, bool IsExplicit);
}
