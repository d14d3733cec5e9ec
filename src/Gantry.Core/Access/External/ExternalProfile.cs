using System.Text;

namespace Gantry.Core.Access;

/// <summary>What of an identity an account keeps: bounded, and without signs that a log or a page would read.</summary>
/// <param name="Groups">With the provider's name before them, each once, in order.</param>
internal sealed record ExternalProfile(string? DisplayName, string? Email, bool? IsAdministrator, string[] Groups)
{
    public const int MaxGroups = 1000, MaxText = 512;

    /// <summary>
    /// Groups that are no text or too long are left out, and all beyond the first thousand: whoever is in so many has
    /// less, never more.
    /// </summary>
    public static ExternalProfile Of(ExternalIdentity identity) => new(
        IsText(identity.DisplayName) ? identity.DisplayName : null,
        IsText(identity.Email) ? identity.Email : null,
        identity.IsAdministrator,
        [.. identity.Groups.Where(IsText).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Take(MaxGroups)
            .Select(group => Prefix(identity.Provider) + group)]);

    /// <summary>What the names of all groups of a provider, and of no other, begin with.</summary>
    public static string Prefix(string provider) => $"{provider}/";

    /// <summary>1 to 512 characters that are text: no control characters, no halves of a pair.</summary>
    public static bool IsText(string? text) =>
        text is { Length: > 0 and <= MaxText }
        && text.EnumerateRunes().All(rune => !Rune.IsControl(rune) && rune != Rune.ReplacementChar);
}
