using Gantry.Oci;

namespace Gantry.Core.Access;

/// <summary>
/// Who asks, and what this request's credential lets them do. A bearer token holds what was granted to it, as far as
/// that has not been taken back since; a password, or no credential at all, holds what the policy gives now.
/// </summary>
public abstract class Caller
{
    /// <summary>The account's name; null for an anonymous caller.</summary>
    public abstract string? Account { get; }

    /// <summary>Whether the caller may list repositories (it then sees those it may pull).</summary>
    public abstract bool MayListCatalog { get; }

    /// <summary>What the caller may do with a repository, existing or not.</summary>
    public abstract ValueTask<Decision> DecideAsync(RepositoryName repository, CancellationToken cancellationToken = default);

    public async ValueTask<bool> MayAsync(
        RepositoryActions actions, RepositoryName repository, CancellationToken cancellationToken = default) =>
        ((await DecideAsync(repository, cancellationToken)).Granted & actions) == actions;

    /// <summary>
    /// What the account behind the credential can read, and who decides on each name of it, for a listing or a mount
    /// without a source: a bearer token for one repository says nothing of the others that these look at.
    /// </summary>
    public abstract ValueTask<(AccountReach Reach, Caller Decider)> ReachAsync(CancellationToken cancellationToken = default);
}

/// <summary>Which repositories an account can read, in one piece: to narrow a listing before each name is decided on.</summary>
/// <param name="All">Of all namespaces.</param>
/// <param name="Public">Of public ones.</param>
/// <param name="AccountId">Of those in which this account has a role; 0: none.</param>
/// <param name="IsLimited">
/// The credential may hold less. Where it does not, everything in reach may be pulled that no rule of its namespace takes away.
/// </param>
public sealed record AccountReach(bool All, bool Public, long AccountId, bool IsLimited = false)
{
    public static AccountReach Everything { get; } = new(All: true, Public: true, AccountId: 0);
}
