using System.ComponentModel.DataAnnotations;

namespace Gantry.Core.Scrub;

/// <summary>Section <c>Scrub</c>: how blobs are read again to see whether they still are what they were.</summary>
public sealed class ScrubOptions : IValidatableObject
{
    /// <summary>Whether this node scrubs while it serves. Off: <c>gantry-server scrub</c> has to be run.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>How long after its push, or after it was last read, a blob is read again. 1 hour to 3,650 days.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How fast a node reads for it, at most. 64 KiB to 1 TiB.</summary>
    public long BytesPerSecond { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// When what is quarantined is read again: it may have been the store that was wrong, a volume that was not the right one.
    /// </summary>
    internal TimeSpan AgainAfter => Interval < TimeSpan.FromDays(1) ? Interval : TimeSpan.FromDays(1);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Interval < TimeSpan.FromHours(1) || Interval > TimeSpan.FromDays(3650))
            yield return new("Scrub:Interval must be from 01:00:00 to 3650.00:00:00");
        if (BytesPerSecond is < 64 * 1024 or > 1L << 40) yield return new("Scrub:BytesPerSecond must be from 65536 to 1099511627776");
    }
}
