using System.Text;
using Gantry.Oci;

namespace Gantry.Engine.Snapshots;

/// <summary>The identity of a stack of layers (image-spec, "Layer ChainID"): that of the lowest is its diffID.</summary>
public readonly record struct ChainId(Digest Digest)
{
    /// <summary>Null for no layers: an empty stack has no identity.</summary>
    public static ChainId? Of(IReadOnlyList<Digest> diffIds)
    {
        if (diffIds.Count == 0) return null;
        var chain = diffIds[0];
        foreach (var diffId in diffIds.Skip(1)) chain = Digest.Of(Encoding.ASCII.GetBytes($"{chain} {diffId}"));
        return new ChainId(chain);
    }

    public override string ToString() => Digest.ToString();
}
