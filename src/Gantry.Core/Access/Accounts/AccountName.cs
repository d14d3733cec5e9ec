using System.Diagnostics.CodeAnalysis;

namespace Gantry.Core.Access;

/// <summary>
/// The name an account logs in with: <c>[a-z0-9][a-z0-9._-]{0,127}</c>. Lowercase only, so that two names never differ by
/// case alone; no colon (Basic ends the name there) and no sign that a path, a log or a shell reads in its own way.
/// A robot's is <c>robot.NAMESPACE.NAME</c>.
/// </summary>
public readonly record struct AccountName
{
    public const int MaxLength = 128;

    /// <summary>What stands for the name in a keyless login; the token says who it is.</summary>
    public const string Keyless = "oidc";

    /// <summary>What stands for one's own name in a path of the management API.</summary>
    public const string Self = "self";

    private const string RobotPrefix = "robot.";

    private readonly string? _value;

    private AccountName(string value) => _value = value;

    public static AccountName Parse(string? text) =>
        TryParse(text, out var name)
            ? name
            : throw new FormatException(
                "an account name is 1 to 128 characters a-z, 0-9, '.', '_' or '-', and begins with a letter or digit");

    public static bool TryParse([NotNullWhen(true)] string? text, out AccountName name)
    {
        var valid = text is { Length: > 0 and <= MaxLength } && IsWordCharacter(text[0]);
        for (var i = 1; valid && i < text!.Length; i++) valid = IsWordCharacter(text[i]) || text[i] is '.' or '_' or '-';
        name = valid ? new AccountName(text!) : default;
        return valid;
    }

    /// <summary>Whether no person may have it.</summary>
    public bool IsReserved => ToString() is Keyless or Self || ToString().StartsWith(RobotPrefix, StringComparison.Ordinal);

    /// <summary>
    /// The name of a namespace's robot; false where <paramref name="name"/> is not <c>[a-z0-9][a-z0-9_-]*</c> (no dots: so
    /// no two robots share a name) or both together are too long.
    /// </summary>
    public static bool TryForRobot(NamespaceName ns, string? name, out AccountName robot)
    {
        robot = default;
        return name is not null && !name.Contains('.', StringComparison.Ordinal) && TryParse(name, out _)
            && TryParse($"{RobotPrefix}{ns}.{name}", out robot);
    }

    /// <summary>The namespace that a robot's name says it belongs to; null: not a robot's name.</summary>
    public string? Home => ToString() is var text && text.StartsWith(RobotPrefix, StringComparison.Ordinal)
        && text.LastIndexOf('.') is var end && end > RobotPrefix.Length ? text[RobotPrefix.Length..end] : null;

    public override string ToString() => _value ?? throw new InvalidOperationException("an account name was never set");

    private static bool IsWordCharacter(char c) => c is >= 'a' and <= 'z' or >= '0' and <= '9';
}
