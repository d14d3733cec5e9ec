using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Gantry.Oci;

/// <summary>
/// A tag (distribution-spec, "Pulling manifests": <c>&lt;reference&gt;</c> as a tag): one letter, digit or underscore,
/// then up to 127 of those, dots and dashes. Compared by ordinal, case matters.
/// </summary>
public readonly record struct TagName
{
    public const int MaxLength = 128;

    private const string WordCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    private static readonly SearchValues<char> First = SearchValues.Create(WordCharacters);
    private static readonly SearchValues<char> Later = SearchValues.Create(WordCharacters + ".-");
    private readonly string? _value;

    private TagName(string value) => _value = value;

    public static TagName Parse(string? text) =>
        TryParse(text, out var tag) ? tag : throw new FormatException("not a tag");

    public static bool TryParse([NotNullWhen(true)] string? text, out TagName tag)
    {
        var valid = text is { Length: > 0 and <= MaxLength }
            && First.Contains(text[0])
            && !text.AsSpan(1).ContainsAnyExcept(Later);
        tag = valid ? new TagName(text!) : default;
        return valid;
    }

    public override string ToString() => _value ?? throw new InvalidOperationException("a tag was never set");
}
