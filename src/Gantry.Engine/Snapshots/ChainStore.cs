using System.Text.Json;
using System.Text.Json.Serialization;
using Gantry.Engine.Content;
using Gantry.Engine.Unpack;
using Gantry.Layers;
using Gantry.Oci;

namespace Gantry.Engine.Snapshots;

/// <summary>Layers to be stacked by overlayfs.</summary>
/// <param name="Id">Null for an image without layers.</param>
/// <param name="Folders">Bottom first; the last may be the chain's own corrections. Empty for an image without layers. Nobody writes to them.</param>
/// <param name="UsesUserAttributes">A mount of them needs the option <c>userxattr</c>.</param>
public sealed record LayerChain(ChainId? Id, IReadOnlyList<string> Folders, bool UsesUserAttributes);

/// <summary>
/// Stacks of layers by chainID: which layers, and in <c>fix</c> the corrections that this stack needs and its layers, shared with other stacks, must not have. A
/// chain is named after all its diffIDs were found right, since only such layers are in the store.
/// </summary>
internal sealed class ChainStore(StoreLayout layout, Durability durability, LayerStore layers)
{
    private const string Description = "chain.json", Corrections = "fix";

    /// <summary>Notes of all layers together, as they lie on disk: some 300,000 paths, where an image has a few hundred as a rule.</summary>
    private const long MaxNotesBytes = 24 << 20;

    /// <summary>Null where the chain or one of its layers is not there.</summary>
    public LayerChain? Find(IReadOnlyList<Digest> diffIds)
    {
        if (ChainId.Of(diffIds) is not { } id) return new LayerChain(null, [], false);
        var folder = Path.Combine(layout.Chains, StoreLayout.NameOf(id.Digest));
        var path = Path.Combine(folder, Description);
        if (!File.Exists(path) || diffIds.Any(diffId => !layers.Has(diffId))) return null;

        var chain = JsonSerializer.Deserialize(File.ReadAllBytes(path), ChainJson.Default.ChainFile)
            ?? throw new EngineException(EngineFault.Local, $"{path} cannot be read: the store is damaged");
        var stack = diffIds.Skip(chain.Lowest).Select(layers.FolderOf).ToList();
        if (chain.HasCorrections) stack.Add(Path.Combine(folder, Corrections));
        return new LayerChain(id, stack, chain.UsesUserAttributes);
    }

    /// <summary>Makes the chain where it is not there; all its layers are.</summary>
    public async Task<LayerChain> EnsureAsync(IReadOnlyList<Digest> diffIds, CancellationToken ct)
    {
        if (Find(diffIds) is { } known) return known;
        var id = ChainId.Of(diffIds)!.Value;
        var name = StoreLayout.NameOf(id.Digest);
        // A layer's diffID is its chainID where it is the lowest: the two are made in staging under different names.
        await StagedFolder.MakeAsync(layout, durability, $"chain-{name}", Path.Combine(layout.Chains, name), folder => Task.Run(() => Link(folder, diffIds), ct), ct);
        return Find(diffIds) ?? throw new EngineException(EngineFault.Local, $"the chain {id} was removed while it was made");
    }

    private void Link(string folder, IReadOnlyList<Digest> diffIds)
    {
        var corrections = Path.Combine(folder, Corrections);
        Directory.CreateDirectory(corrections);
        if (diffIds.Distinct().Sum(layers.NotesSizeOf) > MaxNotesBytes)
            throw new LayerException(LayerFault.TooLarge, $"the layers leave more than {MaxNotesBytes >> 20} MiB of paths to each other");
        var notes = diffIds.Distinct().ToDictionary(diffId => diffId, layers.NotesOf);
        var links = new ChainLinker([.. diffIds.Select(diffId => new ChainLayer(layers.FolderOf(diffId), notes[diffId], diffId.ToString()))]).Link(corrections);
        if (!links.IsNeeded) Directory.Delete(corrections);
        var file = new ChainFile([.. diffIds.Select(diffId => diffId.ToString())], links.IsNeeded, links.Lowest, notes.Values.Any(note => note.UsesUserAttributes));
        File.WriteAllBytes(Path.Combine(folder, Description), JsonSerializer.SerializeToUtf8Bytes(file, ChainJson.Default.ChainFile));
    }
}

/// <param name="Layers">DiffIDs, bottom first: for people, since the chain's name says them too.</param>
/// <param name="Lowest">Layers below this index are hidden altogether.</param>
internal sealed record ChainFile(string[] Layers, bool HasCorrections, int Lowest, bool UsesUserAttributes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ChainFile))]
internal sealed partial class ChainJson : JsonSerializerContext;
