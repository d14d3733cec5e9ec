using System.Diagnostics.CodeAnalysis;

namespace Gantry.Oci;

/// <summary>
/// A repository name (distribution-spec, "Pulling manifests": <c>&lt;name&gt;</c>): lowercase path components joined by
/// <c>/</c>, at most 255 characters in all. Dots, dashes and underscores only inside a component, so no value of this
/// type holds <c>..</c>, an empty component or anything that needs escaping.
/// </summary>
public readonly record struct RepositoryName
{
    public const int MaxLength = 255;

    private readonly string? _value;

    private RepositoryName(string value) => _value = value;

    public static RepositoryName Parse(string? text) =>
        TryParse(text, out var name) ? name : throw new FormatException("not a repository name");

    public static bool TryParse([NotNullWhen(true)] string? text, out RepositoryName name)
    {
        var valid = text is { Length: > 0 and <= MaxLength } && IsName(text);
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

    // By hand: to build an expression that never goes back takes longer than everything else that a short command does.
    private static bool IsName(ReadOnlySpan<char> text)
    {
        for (var at = 0; ; at += SeparatorLength(text[at..]))
        {
            var start = at;
            while (at < text.Length && (char.IsAsciiLetterLower(text[at]) || char.IsAsciiDigit(text[at]))) at++;
            if (at == start) return false;
            if (at == text.Length) return true;
        }
    }

    /// <summary>0 for what is none: then no letter follows either.</summary>
    private static int SeparatorLength(ReadOnlySpan<char> text)
    {
        if (text[0] is '/' or '.') return 1;
        var repeated = 1;
        while (repeated < text.Length && text[repeated] == text[0]) repeated++;
        return text[0] switch { '-' => repeated, '_' => Math.Min(repeated, 2), _ => 0 };
    }
}
