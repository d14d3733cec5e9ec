using System.Diagnostics.CodeAnalysis;

namespace Gantry.Core.Access;

/// <summary>
/// The name a person logs in with: <c>[a-z0-9][a-z0-9._-]{0,63}</c>. Lowercase only, so that two names never differ by
/// case alone; no colon (Basic ends the name there) and no sign that a path, a log or a shell reads in its own way.
/// </summary>
public readonly record struct AccountName
{
    public const int MaxLength = 64;

    private readonly string? _value;

    private AccountName(string value) => _value = value;

    public static AccountName Parse(string? text) =>
        TryParse(text, out var name)
            ? name
            : throw new FormatException(
                "an account name is 1 to 64 characters a-z, 0-9, '.', '_' or '-', and begins with a letter or digit");

    public static bool TryParse([NotNullWhen(true)] string? text, out AccountName name)
    {
        var valid = text is { Length: > 0 and <= MaxLength } && IsWordCharacter(text[0]);
        for (var i = 1; valid && i < text!.Length; i++) valid = IsWordCharacter(text[i]) || text[i] is '.' or '_' or '-';
        name = valid ? new AccountName(text!) : default;
        return valid;
    }

    public override string ToString() => _value ?? throw new InvalidOperationException("an account name was never set");

    private static bool IsWordCharacter(char c) => c is >= 'a' and <= 'z' or >= '0' and <= '9';
}
