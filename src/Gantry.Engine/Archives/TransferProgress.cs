using Gantry.Oci;

namespace Gantry.Engine.Archives;

/// <summary>What becomes of one blob or manifest that is copied.</summary>
public enum TransferPhase
{
    /// <summary>Its bytes move.</summary>
    Copying,

    /// <summary>All of them are there.</summary>
    Copied,

    /// <summary>It was there before.</summary>
    Present,

    /// <summary>The registry took it from another repository of its own.</summary>
    Mounted,
}

/// <summary>So much of one blob has moved.</summary>
public sealed record TransferProgress(Digest Digest, TransferPhase Phase, long Bytes, long Total);
