using System.Diagnostics;
using System.Text;
using Gantry.Core.Look;
using Gantry.Engine.Tests.Unpack;
using Gantry.Engine.Unpack;
using Gantry.Layers;
using Gantry.TestKit.Tar;

namespace Gantry.Core.Tests.Look;

/// <summary>What is shown of an image is what the engine makes of it on a disk. Root, for the owners of files.</summary>
[Trait("Speed", "Slow")]
public sealed class EngineEqualityTests
{
    private const int Chains = 100;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task RandomChains_AreListedAsTheEngineUnpacksThem(int seed)
    {
        await using var registry = await LookRegistry.CreateAsync();
        var (random, accepted) = (new RandomLayers(seed), 0);
        for (var chain = 0; chain < Chains; chain++)
        {
            var layers = random.Chain();
            var unpacked = Unpack(layers);
            var digest = await registry.PushAsync($"c{chain}", layers);
            var log = $"seed {seed}, chain {chain}\n{string.Join('\n', random.Log)}";
            var state = await registry.Files.ListAsync(LookRegistry.Name, digest, default, null, 1, false, default);
            if (state!.State == LookState.Failed) Assert.True(unpacked is null, $"{log}\n--- refused here alone: {string.Join(", ", state.Layers.Select(layer => layer.Reason))}");
            if (unpacked is null) continue;
            accepted++;
            var shown = await ShowAsync(registry, $"c{chain}");
            Assert.True(unpacked == shown, $"{log}\n--- engine\n{unpacked}\n--- listing\n{shown}");
        }

        Assert.True(accepted > Chains / 4, $"only {accepted} of {Chains} chains were accepted");
    }

    /// <summary>One line a file; null where the engine refuses.</summary>
    private static string? Unpack(TarBytes[] layers)
    {
        var root = Directory.CreateDirectory($"/dev/shm/gantry-test-{Guid.NewGuid():N}");
        try
        {
            using var unpacker = new LayerUnpacker(root.FullName, UnpackMode.Flat, new UnpackOptions());
            foreach (var layer in layers) unpacker.Apply(layer.ToStream(), default);
            return Find(root.FullName);
        }
        catch (LayerException)
        {
            return null;
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    private static string Find(string root)
    {
        using var find = Process.Start(new ProcessStartInfo("find", [root, "-mindepth", "1", "-printf", @"%P %y %m %U:%G %T@ %s %l\n"]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var lines = find.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
        {
            var parts = line.Split(' ', 7);
            var (path, kind, mode, owner, seconds) = (parts[0], parts[1], parts[2], parts[3], parts[4].Split('.')[0]);
            return kind switch
            {
                "f" => $"{path} f {mode} {owner} {seconds} {parts[5]} [{File.ReadAllText(Path.Combine(root, path))}]",
                "l" => $"{path} l {owner} {seconds} -> {parts[6]}",
                _ => $"{path} {kind} {mode} {owner} {seconds}",
            };
        });
        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    private static async Task<string> ShowAsync(LookRegistry registry, string tag)
    {
        var lines = new List<string>();
        foreach (var file in await registry.TreeAsync(tag, page: 2))
        {
            var (mode, owner, seconds) = (Convert.ToString(file.Mode, 8), $"{file.Uid}:{file.Gid}", file.Modified!.Value.ToUnixTimeSeconds());
            lines.Add(file.Kind switch
            {
                EntryKind.File => $"{file.Path} f {mode} {owner} {seconds} {file.Size} [{await TextAsync(registry, tag, file.Path)}]",
                EntryKind.SymbolicLink => $"{file.Path} l {owner} {seconds} -> {file.Target}",
                EntryKind.Directory => $"{file.Path} d {mode} {owner} {seconds}",
                _ => $"{file.Path} p {mode} {owner} {seconds}",
            });
        }

        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    private static async Task<string> TextAsync(LookRegistry registry, string tag, ImagePath path)
    {
        var text = await registry.Registry.Get<FileTexts>().ReadAsync(LookRegistry.Name, LookRegistry.Reference(tag), path, default);
        return Encoding.UTF8.GetString(text!.Value!.Content.Span);
    }
}
