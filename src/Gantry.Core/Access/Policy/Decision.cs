namespace Gantry.Core.Access;

/// <summary>What may be done, and why.</summary>
/// <param name="Rule">
/// In words for the error's detail, the log and the caller: it tells those who may not even pull nothing that depends on
/// whether the namespace or the repository exists.
/// </param>
/// <param name="Path">Every step that led there, for administrators and maintainers alone.</param>
public sealed record Decision(RepositoryActions Granted, string Rule, IReadOnlyList<string> Path)
{
    public Decision(RepositoryActions granted, string rule)
        : this(granted, rule, [rule])
    {
    }

    /// <summary>
    /// The same, as far as a credential's limit lets it through. Where that is not even to pull, the limit is all that is told:
    /// who found an access token for one namespace learns nothing of the others.
    /// </summary>
    public Decision Within(RepositoryActions most, string limit)
    {
        if (!most.HasFlag(RepositoryActions.Pull)) return new(Granted & most, limit, [.. Path, limit]);
        return (Granted & most) == Granted ? this : new(Granted & most, $"{Rule}; {limit}", [.. Path, limit]);
    }
}
