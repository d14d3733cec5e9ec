using Gantry.Oci;

namespace Gantry.Core.Access;

/// <summary>What may be done, and by which rule, in words for a log and an error's detail.</summary>
public readonly record struct Decision(RepositoryActions Granted, string Rule);

/// <summary>A caller that can say by which rule it may do what it may.</summary>
public abstract class ExplainedCaller : Caller
{
    public abstract Decision DecisionOn(RepositoryName repository);

    public sealed override RepositoryActions ActionsOn(RepositoryName repository) => DecisionOn(repository).Granted;
}

/// <summary>A caller with a password, or with nothing: the policy alone decides.</summary>
internal sealed class PolicyCaller(AccessPolicy policy, Account? account) : ExplainedCaller
{
    public override string? Account => account?.Name.ToString();

    public override bool MayListCatalog => policy.MayListCatalog(account);

    public override Decision DecisionOn(RepositoryName repository) => policy.Decide(account, repository);
}

/// <summary>A caller with a bearer token: it holds what the token names, and no more.</summary>
internal sealed class TokenCaller(AccessPolicy policy, TokenGrants grants) : ExplainedCaller
{
    public override string? Account => grants.Account?.ToString();

    public override bool MayListCatalog => grants.Catalog;

    public DateTimeOffset Expires => grants.Expires;

    public override Decision DecisionOn(RepositoryName repository) =>
        new(grants.Repositories.GetValueOrDefault(repository), "the token's own scopes");

    // Whether the account is an administrator does not matter for reading, so it need not be asked.
    public override bool MayReadAnywhere(RepositoryName repository)
    {
        var account = grants.Account is { } name ? new Account(name, IsAdministrator: false) : null;
        return policy.Decide(account, repository).Granted.HasFlag(RepositoryActions.Pull);
    }
}
