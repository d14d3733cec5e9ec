using System.Diagnostics.CodeAnalysis;
using System.IO.Enumeration;
using Gantry.Oci;

namespace Gantry.Core.Access;

/// <summary>
/// Names of repositories with <c>*</c> for any characters, slashes too: <c>acme/prod-*</c>, <c>acme/*</c>, <c>*</c>.
/// </summary>
public readonly record struct RepositoryPattern
{
    private readonly string? _value;

    private RepositoryPattern(string value) => _value = value;

    public static bool TryParse([NotNullWhen(true)] string? text, out RepositoryPattern pattern)
    {
        var valid = text is { Length: > 0 and <= RepositoryName.MaxLength } && text.All(IsAllowed);
        pattern = valid ? new RepositoryPattern(text!) : default;
        return valid;
    }

    public bool Matches(RepositoryName repository) =>
        FileSystemName.MatchesSimpleExpression(ToString(), repository.ToString(), ignoreCase: false);

    public override string ToString() => _value ?? throw new InvalidOperationException("a pattern was never set");

    private static bool IsAllowed(char c) => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '.' or '_' or '-' or '/' or '*';
}
