using System.Globalization;

namespace Gantry.Core.Access;

/// <summary>Names for an account whose provider suggests one that may be no account's name, or taken.</summary>
internal static class SuggestedName
{
    // What stands before a name that is kept for others, and for one of which nothing is left.
    private const string Person = "user";

    /// <summary>
    /// The suggestion in the grammar of <see cref="AccountName"/>: in lowercase, without the domain of a mail address,
    /// other signs as '-'. Never a reserved name.
    /// </summary>
    public static AccountName Of(string suggestion)
    {
        var local = suggestion.IndexOf('@', StringComparison.Ordinal) is > 0 and var at ? suggestion[..at] : suggestion;
        if (local.Length > AccountName.MaxLength) local = local[..AccountName.MaxLength];
        var text = string.Concat(local.Select(c => Allowed(char.ToLowerInvariant(c)))).Trim('.', '_', '-');
        if (text.Length == 0) return AccountName.Parse(Person);
        var name = AccountName.Parse(text);
        return name.IsReserved ? AccountName.Parse(Cut($"{Person}-{text}", AccountName.MaxLength)) : name;
    }

    /// <summary>The name itself for 1, then the name with "-2", "-3" and so on, cut where it would be too long.</summary>
    public static AccountName Numbered(AccountName name, int number)
    {
        if (number == 1) return name;
        var suffix = string.Create(CultureInfo.InvariantCulture, $"-{number}");
        return AccountName.Parse(Cut(name.ToString(), AccountName.MaxLength - suffix.Length) + suffix);
    }

    private static char Allowed(char c) => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '.' or '_' or '-' ? c : '-';

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..length];
}
