using System.Diagnostics.CodeAnalysis;
using Gantry.Oci;

namespace Gantry.Core.Access;

/// <summary>One path component of a repository's name, its first.</summary>
public readonly record struct NamespaceName
{
    private readonly string? _value;

    private NamespaceName(string value) => _value = value;

    public static bool TryParse([NotNullWhen(true)] string? text, out NamespaceName name)
    {
        var valid = RepositoryName.TryParse(text, out _) && !text.Contains('/', StringComparison.Ordinal);
        name = valid ? new NamespaceName(text!) : default;
        return valid;
    }

    /// <exception cref="FormatException">Not a path component.</exception>
    public static NamespaceName Parse(string? text) =>
        TryParse(text, out var name) ? name : throw new FormatException("not the name of a namespace");

    public override string ToString() => _value ?? throw new InvalidOperationException("a namespace's name was never set");
}
