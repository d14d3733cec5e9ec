namespace Gantry.Layers;

/// <summary>What is wrong with a layer, for callers that tell faults apart.</summary>
public enum LayerFault
{
    /// <summary>The compressed stream is truncated, damaged, of an unknown kind, or asks for more memory than it gets.</summary>
    Compression,

    /// <summary>The archive's framing, a header or a number is broken.</summary>
    Archive,

    /// <summary>A name that leaves the root, is too long, or is none.</summary>
    Path,

    /// <summary>A link that leads nowhere, out of the root, or round in a circle.</summary>
    Link,

    /// <summary>An entry of a kind that is not made: unknown, or not allowed here.</summary>
    EntryType,

    /// <summary>More bytes, entries or metadata than the limits allow.</summary>
    TooLarge,
}

/// <summary>
/// A layer's bytes cannot be read or must not be unpacked. Whoever made the layer is at fault, not the network and not this machine. The
/// message shows pieces of the layer as <see cref="Printable"/> text alone.
/// </summary>
public sealed class LayerException(LayerFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public LayerFault Fault => fault;
}
