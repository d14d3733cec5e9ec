using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Gantry.Oci;

/// <summary>
/// A repository name (distribution-spec, "Pulling manifests": <c>&lt;name&gt;</c>): lowercase path components joined by
/// <c>/</c>, at most 255 characters in all. Dots, dashes and underscores only inside a component, so no value of this
/// type holds <c>..</c>, an empty component or anything that needs escaping.
/// </summary>
public readonly partial record struct RepositoryName
{
    public const int MaxLength = 255;

    private readonly string? _value;

    private RepositoryName(string value) => _value = value;

    public static RepositoryName Parse(string? text) =>
        TryParse(text, out var name) ? name : throw new FormatException("not a repository name");

    public static bool TryParse([NotNullWhen(true)] string? text, out RepositoryName name)
    {
        var valid = text is { Length: > 0 and <= MaxLength } && Grammar().IsMatch(text);
        name = valid ? new RepositoryName(text!) : default;
        return valid;
    }

    /// <summary>The first component: the namespace that the repository is in.</summary>
    public string Namespace
    {
        get
        {
            var slash = ToString().IndexOf('/', StringComparison.Ordinal);
            return slash < 0 ? _value! : _value![..slash];
        }
    }

    public override string ToString() => _value ?? throw new InvalidOperationException("a repository name was never set");

    [GeneratedRegex(@"\A[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Grammar();
}
