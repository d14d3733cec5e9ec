using Gantry.Oci;

namespace Gantry.Core.Access;

/// <summary>A caller of whom it can be said why a request was refused.</summary>
public abstract class ExplainedCaller : Caller
{
    /// <summary>
    /// What the policy gives the account now, whatever this credential holds: a token that grants too little is a
    /// denial only where another token would not grant more.
    /// </summary>
    public abstract ValueTask<Decision> PolicyAsync(RepositoryName repository, CancellationToken cancellationToken = default);
}

/// <summary>A caller with a password, an access token or nothing: the policy alone decides, within the credential's limit.</summary>
/// <remarks>Lives for one request: what was read of a namespace holds for its length.</remarks>
internal sealed class PolicyCaller(AccessPolicy policy, Account? account, AccessLimit? limit) : ExplainedCaller
{
    private readonly AccessLimit _limit = limit ?? AccessLimit.Everything;
    private NamespaceFacts? _facts;

    public override string? Account => account?.Name.ToString();

    public override bool MayListCatalog => policy.MayListCatalog(account);

    public override async ValueTask<Decision> DecideAsync(RepositoryName repository, CancellationToken cancellationToken = default)
    {
        var facts = _facts;
        if (facts?.Name != repository.Namespace)
            _facts = facts = await policy.FactsAsync(account, repository.Namespace, cancellationToken);
        return policy.Decide(account, repository, facts).Within(_limit.Of(repository), "the credential's own scopes hold no more");
    }

    public override ValueTask<Decision> PolicyAsync(RepositoryName repository, CancellationToken cancellationToken = default) =>
        DecideAsync(repository, cancellationToken);

    public override ValueTask<(AccountReach Reach, Caller Decider)> ReachAsync(CancellationToken cancellationToken = default) =>
        new((policy.ReachOf(account) with { IsLimited = _limit != AccessLimit.Everything }, this));
}
