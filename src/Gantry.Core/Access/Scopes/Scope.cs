using Gantry.Oci;

namespace Gantry.Core.Access;

/// <summary>
/// One scope of Docker's token specification, <c>type:name:actions</c>: what a client asks for, what a challenge names,
/// what a token grants. Either actions on a repository, or (<see cref="Repository"/> is null) the catalog.
/// </summary>
public readonly record struct Scope(RepositoryName? Repository, RepositoryActions Actions)
{
    /// <summary><c>registry:catalog:*</c></summary>
    public static Scope Catalog => default;

    /// <summary>
    /// Reads one scope. The name is what stands between the first and the last colon, so that it may hold the
    /// <c>host:port</c> of a mirror's grammar; such a name is no repository here. False for whatever cannot name
    /// something of this registry: a token service drops that and grants the rest.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Scope scope)
    {
        scope = default;
        var first = text.IndexOf(':');
        var last = text.LastIndexOf(':');
        if (first < 0 || first == last) return false;

        var type = text[..first];
        var name = text[(first + 1)..last];
        var actions = text[(last + 1)..];

        if (type is "registry")
            return name is "catalog" && Has(actions, "*");

        // The class in parentheses (plugin, image) is legacy of Docker Hub and changes nothing.
        if (type is not "repository" && !(type.StartsWith("repository(") && type[^1] == ')')) return false;
        if (name.Length > RepositoryName.MaxLength || !RepositoryName.TryParse(name.ToString(), out var repository))
            return false;

        var wanted = ParseActions(actions);
        if (wanted == RepositoryActions.None) return false;
        scope = new Scope(repository, wanted);
        return true;
    }

    /// <summary>
    /// Words of this registry's actions joined by commas; <c>*</c> is all of them, unknown words are
    /// dropped.
    /// </summary>
    public static RepositoryActions ParseActions(ReadOnlySpan<char> text)
    {
        var actions = RepositoryActions.None;
        foreach (var range in text.Split(','))
        {
            actions |= text[range].Trim() switch
            {
                "pull" => RepositoryActions.Pull,
                "push" => RepositoryActions.Push,
                "delete" => RepositoryActions.Delete,
                "*" => RepositoryActions.All,
                _ => RepositoryActions.None,
            };
        }

        return actions;
    }

    public static IEnumerable<string> Words(RepositoryActions actions)
    {
        if (actions.HasFlag(RepositoryActions.Pull)) yield return "pull";
        if (actions.HasFlag(RepositoryActions.Push)) yield return "push";
        if (actions.HasFlag(RepositoryActions.Delete)) yield return "delete";
    }

    public static string Text(RepositoryActions actions) =>
        actions == RepositoryActions.None ? "nothing" : string.Join(',', Words(actions));

    public override string ToString() =>
        Repository is { } repository
            ? $"repository:{repository}:{string.Join(',', Words(Actions))}"
            : "registry:catalog:*";

    private static bool Has(ReadOnlySpan<char> actions, string word)
    {
        foreach (var range in actions.Split(','))
        {
            if (actions[range].SequenceEqual(word)) return true;
        }

        return false;
    }
}
