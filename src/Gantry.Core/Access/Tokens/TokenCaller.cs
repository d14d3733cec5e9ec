using Gantry.Oci;

namespace Gantry.Core.Access;

/// <summary>
/// A caller with a bearer token: it holds what the token names, and no more. Lives as long as the token is remembered,
/// for many requests at once. Where access changed since the token was decided upon, the policy is asked again, and the
/// token holds what both give.
/// </summary>
internal sealed class TokenCaller(AccessPolicy policy, LoginRenewal logins, AccessChanges changes, TokenGrants grants)
    : ExplainedCaller
{
    private Checked? _account;
    private CheckedRepository? _repository;

    public override string? Account => grants.Account?.ToString();

    public override bool MayListCatalog => grants.Catalog;

    public DateTimeOffset Expires => grants.Expires;

    /// <summary>False: the account, or what it logged in with, is gone.</summary>
    public async ValueTask<bool> IsStillHeldAsync(CancellationToken cancellationToken)
    {
        if (grants.Account is null) return policy.AllowsAnonymous;
        var known = Volatile.Read(ref _account);
        return changes.MayHaveChanged(Account, null, known?.Revision ?? grants.Revision)
            ? await LoginAsync(cancellationToken) is not null
            : known is null || known.Login is not null;
    }

    public override async ValueTask<Decision> DecideAsync(RepositoryName repository, CancellationToken cancellationToken = default)
    {
        var held = grants.DecisionOn(repository);
        if (held.Granted == RepositoryActions.None) return held;

        var last = Volatile.Read(ref _repository);
        var isKnown = last is not null && last.Repository == repository;
        if (!changes.MayHaveChanged(Account, repository.Namespace, isKnown ? last!.Revision : grants.Revision))
            return isKnown ? last!.Decision : held;

        // Read before the policy: a change in between has the token looked at once more.
        var revision = changes.Revision;
        var decision = (await PolicyAsync(repository, cancellationToken)).Within(held.Granted, TokenGrants.OwnScopes);
        Volatile.Write(ref _repository, new CheckedRepository(repository, revision, decision));
        return decision;
    }

    public override async ValueTask<Decision> PolicyAsync(RepositoryName repository, CancellationToken cancellationToken = default)
    {
        if (grants.Account is null) return await policy.DecideAsync(null, repository, cancellationToken);
        return await LoginAsync(cancellationToken) is { } login
            ? await policy.CallerFor(login).DecideAsync(repository, cancellationToken)
            : new Decision(RepositoryActions.None, "the account may not log in any more");
    }

    public override async ValueTask<(AccountReach Reach, Caller Decider)> ReachAsync(CancellationToken cancellationToken = default)
    {
        if (grants.Account is null) return await policy.CallerFor(null).ReachAsync(cancellationToken);
        return await LoginAsync(cancellationToken) is { } login
            ? await policy.CallerFor(login).ReachAsync(cancellationToken)
            : (new AccountReach(All: false, Public: false, AccountId: 0), this);
    }

    // Null: it does not hold any more.
    private async ValueTask<LoggedIn?> LoginAsync(CancellationToken cancellationToken)
    {
        var known = Volatile.Read(ref _account);
        if (known is not null && !changes.MayHaveChanged(Account, null, known.Revision)) return known.Login;

        var revision = changes.Revision;
        var login = await logins.RenewAsync(grants.AccountId!.Value, grants.AccessTokenId, grants.TrustId, cancellationToken);
        Volatile.Write(ref _account, new Checked(revision, login));
        return login;
    }

    private sealed record Checked(long Revision, LoggedIn? Login);

    private sealed record CheckedRepository(RepositoryName Repository, long Revision, Decision Decision);
}
