using Gantry.Oci;

namespace Gantry.Core.Access;

/// <summary>
/// Who asks, and what this request's credential lets them do. A bearer token holds only what was granted to it; a
/// password, or no credential at all, holds what the policy gives.
/// </summary>
public abstract class Caller
{
    /// <summary>The account's name; null for an anonymous caller.</summary>
    public abstract string? Account { get; }

    /// <summary>What the caller may do with a repository, existing or not.</summary>
    public abstract RepositoryActions ActionsOn(RepositoryName repository);

    /// <summary>Whether the caller may list repositories (it then sees those it may pull).</summary>
    public abstract bool MayListCatalog { get; }

    /// <summary>
    /// Whether the account behind the credential may pull from a repository that the credential itself does not name: a
    /// bearer token for one repository says nothing of the others that a listing or a mount without source looks at.
    /// </summary>
    public virtual bool MayReadAnywhere(RepositoryName repository) => May(RepositoryActions.Pull, repository);

    public bool May(RepositoryActions actions, RepositoryName repository) =>
        (ActionsOn(repository) & actions) == actions;
}
