using System.ComponentModel.DataAnnotations;

namespace Gantry.Core.Push;

/// <summary>Section <c>Push</c>.</summary>
public sealed class PushOptions : IValidatableObject
{
    /// <summary>How long an upload may rest between two bytes before it is removed. 1 minute to 30 days.</summary>
    public TimeSpan UploadLifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Tags that keep their first manifest, as <c>repository:tag</c> patterns in which <c>*</c> stands for any
    /// characters: <c>prod/*:v*</c>.
    /// </summary>
    public IList<string> ImmutableTags { get; init; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (UploadLifetime < TimeSpan.FromMinutes(1) || UploadLifetime > TimeSpan.FromDays(30))
            yield return new ValidationResult("Push:UploadLifetime must be from 00:01:00 to 30.00:00:00");

        foreach (var rule in ImmutableTags.Where(rule => TagPattern.TryParse(rule) is null))
            yield return new ValidationResult($"Push:ImmutableTags: '{rule}' is not of the form repository:tag");
    }
}
