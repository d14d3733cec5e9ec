using Gantry.Oci;

namespace Gantry.Core.Look;

/// <summary>How far a layer's listing is.</summary>
public enum LookState
{
    /// <summary>What is in it can be asked for.</summary>
    Ready,

    /// <summary>It will be read.</summary>
    Waiting,

    /// <summary>A node reads it just now.</summary>
    Reading,

    /// <summary>It cannot be read, or is beyond a bound; it stays so.</summary>
    Failed,
}

/// <summary>A layer, and how far its listing is.</summary>
/// <param name="Digest">Of its blob.</param>
/// <param name="Size">Of its blob.</param>
/// <param name="State">How far.</param>
/// <param name="Reason">Why it failed; null otherwise.</param>
public sealed record LookedLayer(Digest Digest, long Size, LookState State, string? Reason)
{
    /// <summary>Of its bytes, decompressed; null unless ready.</summary>
    public Digest? DiffId { get; init; }

    /// <summary>Names in it, and bytes once decompressed; null unless ready.</summary>
    public long? Entries { get; init; }

    /// <inheritdoc cref="Entries"/>
    public long? Bytes { get; init; }
}

/// <summary>
/// An answer about what is in an image or a layer. <see cref="Value"/> is there where all layers are ready; where they are not the layers say how far they are, and to
/// have asked has put them at the head of the queue.
/// </summary>
/// <param name="Layers">The lowest first; empty where <paramref name="WhyNot"/> says something.</param>
/// <param name="Value">Null unless all layers are ready, and where what was asked for is not in the image.</param>
/// <param name="WhyNot">Why nobody can ever look into it: an index, an artifact. Null otherwise.</param>
public sealed record Looked<T>(IReadOnlyList<LookedLayer> Layers, T? Value, string? WhyNot = null) where T : class
{
    /// <summary>The worst of the layers': failed before waiting before reading before ready.</summary>
    public LookState State => Layers.Any(layer => layer.State == LookState.Failed) || WhyNot is not null ? LookState.Failed
        : Layers.Any(layer => layer.State == LookState.Waiting) ? LookState.Waiting
        : Layers.Any(layer => layer.State == LookState.Reading) ? LookState.Reading : LookState.Ready;
}
