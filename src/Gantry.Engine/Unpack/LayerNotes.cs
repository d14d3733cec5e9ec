using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gantry.Engine.Unpack;

/// <summary>
/// What a chain of layers needs to know of one that was unpacked alone, beside its directory: what in it depends on the layers below. Saved next to the
/// directory, read by <see cref="ChainLinker"/>. In flat mode nothing is left open and only counts and warnings are filled.
/// </summary>
public sealed record LayerNotes
{
    /// <summary>
    /// Directories that exist because something in them does, without an entry: 0755, root's, of 1970, unless a layer below has the directory. The root is the
    /// empty path.
    /// </summary>
    public IReadOnlyList<LayerPath> ImpliedDirectories { get; init; } = [];

    /// <summary>Hard links to files of layers below, in the archive's order. A whiteout keeps the place of each in the directory.</summary>
    public IReadOnlyList<LayerLink> CrossLinks { get; init; } = [];

    /// <summary>
    /// Directories with whiteouts in them. Where no layer below has the directory, overlayfs lists the whiteouts as files that nobody can open.
    /// </summary>
    public IReadOnlyList<LayerPath> RemovalDirectories { get; init; } = [];

    /// <summary>An opaque marker in the root: nothing of the layers below is seen, which overlayfs does not read from a layer's top directory.</summary>
    public bool HidesLayersBelow { get; init; }

    /// <summary>True: overlayfs's marks in the directory are <c>user.overlay.*</c>, and a mount needs the option userxattr.</summary>
    public bool UsesUserAttributes { get; init; }

    /// <summary>Headers read.</summary>
    public long Entries { get; init; }

    /// <summary>Names made.</summary>
    public long Files { get; init; }

    /// <summary>Bytes of content written.</summary>
    public long Bytes { get; init; }

    /// <summary>The first hundred, for people.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    public long WarningCount { get; init; }

    public void Save(Stream to) => JsonSerializer.Serialize(to, this, LayerNotesJson.Default.LayerNotes);

    /// <summary>Throws EngineException(Local) for what <see cref="Save"/> did not write.</summary>
    public static LayerNotes Load(Stream from)
    {
        try
        {
            return JsonSerializer.Deserialize(from, LayerNotesJson.Default.LayerNotes) ?? throw new JsonException("null");
        }
        catch (JsonException fault)
        {
            throw new EngineException(EngineFault.Local, "a layer's notes cannot be read: the store is damaged", fault);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LayerNotes))]
internal sealed partial class LayerNotesJson : JsonSerializerContext;
