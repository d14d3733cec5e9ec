using System.Diagnostics.CodeAnalysis;
using Gantry.Oci;

namespace Gantry.Core.Access;

/// <summary>
/// What of an account's rights a credential carries at most: an access token for one team's pulls says no more than
/// that, whatever its account may do. Written as scopes of Docker's grammar with patterns for names:
/// <c>repository:acme/*:pull,push</c>; <c>api:*</c> for the management API; <c>*</c> for everything.
/// </summary>
public sealed class AccessLimit
{
    public const int MaxScopes = 32;

    private readonly IReadOnlyList<Entry> _entries;

    private AccessLimit(IReadOnlyList<string> scopes, IReadOnlyList<Entry> entries) => (Scopes, _entries) = (scopes, entries);

    /// <summary>No limit: all that the account may.</summary>
    public static AccessLimit Everything { get; } = new(["*"], []);

    /// <summary>The texts it was read from.</summary>
    public IReadOnlyList<string> Scopes { get; }

    public bool IsEverything => ReferenceEquals(this, Everything);

    /// <summary>Whether the management API may be used.</summary>
    public bool Api => IsEverything || Scopes.Contains("api:*");

    /// <summary>The most that may be done with a repository.</summary>
    public RepositoryActions Of(RepositoryName repository)
    {
        if (IsEverything) return RepositoryActions.All;
        var actions = RepositoryActions.None;
        foreach (var entry in _entries)
        {
            if (entry.Pattern.Matches(repository)) actions |= entry.Actions;
        }

        return actions;
    }

    /// <summary>Reads scopes; <paramref name="fault"/> names what is wrong with them.</summary>
    public static bool TryParse(
        IReadOnlyCollection<string> scopes, [NotNullWhen(true)] out AccessLimit? limit, [NotNullWhen(false)] out string? fault)
    {
        (limit, fault) = (null, null);
        if (scopes.Count is 0 or > MaxScopes)
        {
            fault = $"there must be 1 to {MaxScopes} scopes";
            return false;
        }

        if (scopes.Contains("*"))
        {
            limit = Everything;
            return true;
        }

        var entries = new List<Entry>();
        foreach (var text in scopes)
        {
            if (text == "api:*") continue;
            if (Parse(text) is { } entry)
            {
                entries.Add(entry);
                continue;
            }

            fault = $"'{text}' is not a scope: repository:PATTERN:pull,push,delete, or api:*, or * for everything";
            return false;
        }

        limit = new AccessLimit([.. scopes], entries);
        return true;
    }

    /// <summary>Reads what was checked before it was stored.</summary>
    public static AccessLimit Parse(IReadOnlyCollection<string> scopes) =>
        TryParse(scopes, out var limit, out var fault) ? limit : throw new FormatException(fault);

    private static Entry? Parse(string text)
    {
        var parts = text.Split(':');
        if (parts is not ["repository", var name, var words] || !RepositoryPattern.TryParse(name, out var pattern)) return null;
        var known = words.Split(',').All(word => word is "pull" or "push" or "delete" or "*");
        return known ? new Entry(pattern, Scope.ParseActions(words)) : null;
    }

    private sealed record Entry(RepositoryPattern Pattern, RepositoryActions Actions);
}
