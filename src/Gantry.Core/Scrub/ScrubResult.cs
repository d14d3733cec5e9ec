using Gantry.Oci;

namespace Gantry.Core.Scrub;

public enum ScrubOutcome
{
    /// <summary>The bytes are the ones the digest names.</summary>
    Good,

    /// <summary>They are not, or are not there: quarantined, by now or before.</summary>
    Rotten,

    /// <summary>Was quarantined, and its bytes are right after all: it is served again.</summary>
    Back,

    /// <summary>The store did not answer, or does not seem to be the right one; put off.</summary>
    PutOff,

    /// <summary>No such blob, or it was removed or replaced while it was read.</summary>
    Gone,
}

/// <summary>What a scrub found out about one blob.</summary>
/// <param name="Detail">What was found instead of the blob, or why nothing could be; empty where all is well.</param>
public sealed record ScrubResult(Digest Digest, ScrubOutcome Outcome, string Detail = "");
