using Gantry.Oci;

namespace Gantry.Core.Access;

/// <summary>Whom a rule narrows.</summary>
[Flags]
public enum RuleAudience
{
    None = 0,

    /// <summary>Those who may pull because the namespace is public.</summary>
    Public = 1,
    Reader = 2,
    Writer = 4,
    Maintainer = 8,
}

/// <summary>
/// Takes actions away from roles in the repositories of a namespace that match: <c>acme/prod-*</c>, writers, push.
/// Administrators are never narrowed.
/// </summary>
public sealed record AccessRule(long Id, RepositoryPattern Pattern, RuleAudience AppliesTo, RepositoryActions Denied)
{
    public bool Narrows(RuleAudience who, RepositoryName repository) => AppliesTo.HasFlag(who) && Pattern.Matches(repository);

    public IEnumerable<string> Audience => Enum.GetValues<RuleAudience>()
        .Where(who => who != RuleAudience.None && AppliesTo.HasFlag(who)).Select(who => who.ToString().ToLowerInvariant());

    /// <summary>What it says, without its number.</summary>
    public string Text => $"{string.Join(',', Audience)} may not {Scope.Text(Denied)} {Pattern}";

    public override string ToString() => $"rule {Id}: {Text}";

    /// <summary>None: a word in it is unknown.</summary>
    public static RuleAudience ParseAudience(IEnumerable<string> words)
    {
        var audience = RuleAudience.None;
        foreach (var word in words)
        {
            var one = word switch
            {
                "public" => RuleAudience.Public,
                "reader" => RuleAudience.Reader,
                "writer" => RuleAudience.Writer,
                "maintainer" => RuleAudience.Maintainer,
                _ => RuleAudience.None,
            };
            if (one == RuleAudience.None) return RuleAudience.None;
            audience |= one;
        }

        return audience;
    }

    // "id pattern audience denied": none of them holds a space.
    internal static AccessRule ParseStored(string text)
    {
        var parts = text.Split(' ');
        return RepositoryPattern.TryParse(parts[1], out var pattern)
            ? new AccessRule(
                long.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture), pattern,
                ParseAudience(parts[2].Split(',')), Scope.ParseActions(parts[3]))
            : throw new FormatException($"access rule {parts[0]} has no pattern");
    }
}
