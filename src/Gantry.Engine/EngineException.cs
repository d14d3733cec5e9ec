namespace Gantry.Engine;

/// <summary>Why the engine could not do what it was asked for. The command's exit codes follow from it.</summary>
public enum EngineFault
{
    /// <summary>What was asked for is not well formed: a reference, an option, a configuration file.</summary>
    Usage,

    /// <summary>There is no such image, tag, blob or file.</summary>
    NotFound,

    /// <summary>The registry wants other credentials, or has none to grant this to.</summary>
    Denied,

    /// <summary>The network, or a registry, is away or does not speak the protocol.</summary>
    Network,

    /// <summary>What came is not what was announced: digest, size, media type, diffID.</summary>
    Mismatch,

    /// <summary>A manifest, index or config that cannot be read.</summary>
    InvalidDocument,

    /// <summary>Well formed, and nothing that this engine handles: schema 1, an artifact to unpack, another platform.</summary>
    Unsupported,

    /// <summary>A server, or an image, tried what it must not: credentials to a stranger, a private address, a path out of the root.</summary>
    Refused,

    /// <summary>More than the limits allow.</summary>
    TooLarge,

    /// <summary>This machine: no space, no permission, a call that failed.</summary>
    Local,
}

/// <summary>
/// The one exception that the engine throws of its own (beside <see cref="Layers.LayerException"/> for the bytes of a layer and
/// <see cref="OperationCanceledException"/>). The message is a sentence for people, fit for a terminal, without secrets.
/// </summary>
public sealed class EngineException(EngineFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public EngineFault Fault => fault;
}
