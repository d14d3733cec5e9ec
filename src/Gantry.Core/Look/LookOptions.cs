using System.ComponentModel.DataAnnotations;

namespace Gantry.Core.Look;

/// <summary>Section <c>Look</c>: how layers are read in order to show what is in them. A layer beyond a bound is listed as failed, with the bound.</summary>
public sealed record LookOptions : IValidatableObject
{
    /// <summary>Whether this node reads layers while it serves. Off: others do, or nobody; then what was not read before stays waiting.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Entries that a layer may have. 1 to 100 million.</summary>
    public long MaxEntries { get; set; } = 2_000_000;

    /// <summary>Bytes that a layer may have once it is decompressed. 1 MiB to 16 TiB.</summary>
    public long MaxBytes { get; set; } = 64L << 30;

    /// <summary>Bytes of memory for the names and the metadata of one layer; a million ordinary files take some 95 MiB. 1 MiB to 1 GiB.</summary>
    public long MaxMemory { get; set; } = 128L << 20;

    /// <summary>How long one layer may take. 1 second to 1 day.</summary>
    public TimeSpan MaxTime { get; set; } = TimeSpan.FromMinutes(30);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxEntries is < 1 or > 100_000_000) yield return new("Look:MaxEntries must be from 1 to 100000000");
        if (MaxBytes is < 1 << 20 or > 1L << 44) yield return new("Look:MaxBytes must be from 1048576 to 17592186044416");
        if (MaxMemory is < 1 << 20 or > 1 << 30) yield return new("Look:MaxMemory must be from 1048576 to 1073741824");
        if (MaxTime < TimeSpan.FromSeconds(1) || MaxTime > TimeSpan.FromDays(1)) yield return new("Look:MaxTime must be from 00:00:01 to 1.00:00:00");
    }
}
