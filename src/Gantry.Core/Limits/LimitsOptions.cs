using System.ComponentModel.DataAnnotations;

namespace Gantry.Core.Limits;

/// <summary>
/// Section <c>Limits</c>: how much one address (IPv6: one /64) or one account may ask for in a minute, 0 for no limit.
/// All are off by default: behind one address may stand a whole cluster. A minute's worth may come at once. Each node
/// counts for itself. PATCH and PUT are neither refused nor counted: no push breaks off in the middle.
/// </summary>
public sealed class LimitsOptions : IValidatableObject
{
    private const int Most = 10_000_000;

    /// <summary>Requests from one address, whoever asks; 0 to 10,000,000.</summary>
    public int RequestsPerMinutePerAddress { get; set; }

    /// <summary>Requests of one account, wherever from; 0 to 10,000,000.</summary>
    public int RequestsPerMinutePerAccount { get; set; }

    /// <summary>Names and passwords shown from one address, right or wrong; 0 to 10,000,000.</summary>
    public int LoginsPerMinutePerAddress { get; set; }

    /// <summary>
    /// Right logins of one account; 0 to 10,000,000. Wrong ones do not count here, or strangers could lock it out:
    /// <c>Access:Throttle</c> slows them down.
    /// </summary>
    public int LoginsPerMinutePerAccount { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        (string Name, int Value)[] limits =
        [
            (nameof(RequestsPerMinutePerAddress), RequestsPerMinutePerAddress),
            (nameof(RequestsPerMinutePerAccount), RequestsPerMinutePerAccount),
            (nameof(LoginsPerMinutePerAddress), LoginsPerMinutePerAddress),
            (nameof(LoginsPerMinutePerAccount), LoginsPerMinutePerAccount),
        ];
        return limits.Where(limit => limit.Value is < 0 or > Most)
            .Select(limit => new ValidationResult($"Limits:{limit.Name} must be from 0 (no limit) to {Most}"));
    }
}
