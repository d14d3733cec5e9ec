using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Gantry.Core.Access;

/// <summary>
/// What the claims of a token must look like: one pattern a claim, in which <c>*</c> stands for any characters; all of
/// them must match. A claim's value may be a text, a number, true or false (as JSON writes them), or a list of which
/// one must match. <c>kubernetes.io.namespace</c> is the claim of that name, or else <c>namespace</c> inside <c>kubernetes.io</c>.
/// </summary>
public sealed class ClaimRules
{
    public const int MaxClaims = 16, MaxNameLength = 128, MaxPatternLength = 512;

    // Bounds how many ways there are to read a path.
    private const int MaxDots = 8;

    // The same in all tokens of an issuer, or no word about who it is for.
    private static readonly HashSet<string> SayNothing = new(StringComparer.Ordinal) { "iss", "aud", "exp", "nbf", "iat", "jti" };

    private ClaimRules(IReadOnlyDictionary<string, string> patterns) => Patterns = patterns;

    public IReadOnlyDictionary<string, string> Patterns { get; }

    /// <summary>Reads patterns; <paramref name="fault"/> names what is wrong with them.</summary>
    public static bool TryParse(
        IReadOnlyDictionary<string, string> patterns, [NotNullWhen(true)] out ClaimRules? rules, [NotNullWhen(false)] out string? fault)
    {
        fault = null;
        if (patterns.Count is 0 or > MaxClaims) fault = $"there must be 1 to {MaxClaims} claims";
        foreach (var (name, pattern) in patterns)
        {
            if (name.Length is 0 or > MaxNameLength || name.Count(c => c == '.') > MaxDots)
                fault ??= $"a claim's name has 1 to {MaxNameLength} characters and at most {MaxDots} dots";
            else if (pattern is not { Length: > 0 and <= MaxPatternLength } || pattern.Any(char.IsControl))
                fault ??= $"the pattern of {name} must have 1 to {MaxPatternLength} characters";
        }

        if (fault is null && !patterns.Any(entry => !SayNothing.Contains(entry.Key) && entry.Value.Any(c => c != '*')))
        {
            fault = "these claims would trust everybody who can get a token of this issuer: "
                + "at least one of those that say who it is (sub, repository ...) needs a pattern that is more than *";
        }

        rules = fault is null ? new ClaimRules(new Dictionary<string, string>(patterns, StringComparer.Ordinal)) : null;
        return fault is null;
    }

    /// <summary>Reads what was checked before it was stored.</summary>
    internal static ClaimRules ParseStored(string json) =>
        new(JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? throw new FormatException("a trust without claims"));

    internal string ToJson() => JsonSerializer.Serialize(Patterns);

    /// <summary>The name of a claim that does not match; null: all do.</summary>
    public string? Mismatch(JsonElement claims)
    {
        foreach (var (name, pattern) in Patterns)
        {
            if (Find(claims, name) is not { } value || !Matches(value, pattern)) return name;
        }

        return null;
    }

    public override string ToString() =>
        string.Join(' ', Patterns.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key}={entry.Value}"));

    private static bool Matches(JsonElement value, string pattern) => value.ValueKind switch
    {
        JsonValueKind.String => Matches(value.GetString(), pattern),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => Matches(value.GetRawText(), pattern),
        JsonValueKind.Array => value.EnumerateArray().Any(entry => entry.ValueKind == JsonValueKind.String && Matches(entry.GetString(), pattern)),
        _ => false,
    };

    // The whole name first, then the longest beginning of it that is an object.
    private static JsonElement? Find(JsonElement json, string name)
    {
        if (json.TryGetProperty(name, out var whole)) return whole;
        for (var dot = name.LastIndexOf('.'); dot > 0; dot = name.LastIndexOf('.', dot - 1))
        {
            if (json.TryGetProperty(name[..dot], out var inner) && inner.ValueKind == JsonValueKind.Object
                && Find(inner, name[(dot + 1)..]) is { } found) return found;
        }

        return null;
    }

    // Not the file system's matcher, to which ? and \ mean something. Each piece between stars is sought from where the
    // last one ended: no way back, no pattern that takes long.
    private static bool Matches(string? value, string pattern)
    {
        if (value is null) return false;
        var pieces = pattern.Split('*');
        if (pieces.Length == 1) return value == pattern;
        var (first, last) = (pieces[0], pieces[^1]);
        if (value.Length < first.Length + last.Length || !value.StartsWith(first, StringComparison.Ordinal)
            || !value.EndsWith(last, StringComparison.Ordinal)) return false;
        var rest = value.AsSpan(first.Length, value.Length - first.Length - last.Length);
        foreach (var piece in pieces.AsSpan(1, pieces.Length - 2))
        {
            var at = rest.IndexOf(piece, StringComparison.Ordinal);
            if (at < 0) return false;
            rest = rest[(at + piece.Length)..];
        }

        return true;
    }
}
