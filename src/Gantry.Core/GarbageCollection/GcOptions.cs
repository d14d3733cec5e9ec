using System.ComponentModel.DataAnnotations;
using Gantry.Core.Access;

namespace Gantry.Core.GarbageCollection;

/// <summary>Section <c>Gc</c>: when what nobody needs is removed.</summary>
public sealed class GcOptions : IValidatableObject
{
    /// <summary>Whether this node collects while it serves. Off: <c>gantry-server gc</c> has to be run.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// How long deleted content can be restored, and how long a blob that a client pushed, mounted or asked for waits for its
    /// manifest. 0 to 90 days.
    /// </summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// How long bytes stay after their row: longer than a presigned URL holds and a standby of the database lags. 0 to 30 days.
    /// </summary>
    public TimeSpan ByteDelay { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How many rows and locations a node looks at or removes in a second, at most. 1 to 100,000.</summary>
    public int MaxPerSecond { get; set; } = 500;

    /// <summary>The part of its time that collecting may keep the database or the store busy: 0.05 is a twentieth. 0.01 to 1.</summary>
    public double MaxShare { get; set; } = 0.05;

    /// <summary>How long the store is listed once through in search of bytes without a row. 1 minute to 365 days.</summary>
    public TimeSpan OrphanPass { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Which untagged manifests go. None by default: untagged is not unused, people pull by digest.</summary>
    public IList<RetentionRule> Retention { get; init; } = [];

    /// <summary>A HEAD renews what it found where that was renewed longer ago.</summary>
    internal TimeSpan RenewAfter => Grace / 4 < TimeSpan.FromHours(1) ? Grace / 4 : TimeSpan.FromHours(1);

    /// <summary>How often a node looks for work: often enough for the shortest grace and for the orphans' shards.</summary>
    internal TimeSpan Interval => TimeSpan.FromTicks(Math.Clamp(
        Math.Min(Grace.Ticks / 4, OrphanPass.Ticks / 16), TimeSpan.TicksPerSecond, TimeSpan.TicksPerMinute));

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Grace < TimeSpan.Zero || Grace > TimeSpan.FromDays(90)) yield return new("Gc:Grace must be from 00:00:00 to 90.00:00:00");
        if (ByteDelay < TimeSpan.Zero || ByteDelay > TimeSpan.FromDays(30))
            yield return new("Gc:ByteDelay must be from 00:00:00 to 30.00:00:00");
        if (MaxPerSecond is < 1 or > 100_000) yield return new("Gc:MaxPerSecond must be from 1 to 100000");
        if (MaxShare is not (>= 0.01 and <= 1)) yield return new("Gc:MaxShare must be from 0.01 to 1");
        if (OrphanPass < TimeSpan.FromMinutes(1) || OrphanPass > TimeSpan.FromDays(365))
            yield return new("Gc:OrphanPass must be from 00:01:00 to 365.00:00:00");
        for (var index = 0; index < Retention.Count; index++)
        {
            if (!RepositoryPattern.TryParse(Retention[index].Repositories, out _))
                yield return new($"Gc:Retention:{index}:Repositories '{Retention[index].Repositories}' is not a pattern of repository names");
            if (Retention[index].UntaggedAfter <= TimeSpan.Zero) yield return new($"Gc:Retention:{index}:UntaggedAfter must be set, as a time");
        }
    }
}

/// <summary>Removes manifests that nothing points at. The first rule that matches a repository counts.</summary>
public sealed class RetentionRule
{
    /// <summary><c>ci/*</c>; <c>*</c> stands for any characters.</summary>
    public string Repositories { get; set; } = "";

    /// <summary>How long a manifest must have been without a tag, an index or a subject that holds it.</summary>
    public TimeSpan UntaggedAfter { get; set; }
}
