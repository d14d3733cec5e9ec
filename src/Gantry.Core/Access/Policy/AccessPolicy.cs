using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>
/// The rules. Administrators may do everything; members of a namespace what their role says, less what its rules take
/// away; everybody may pull from a public one. <see cref="AccessOptions.Anonymous"/> says what is left without an account.
/// </summary>
public sealed class AccessPolicy(IDbContextFactory<RegistryDbContext> database, IOptions<AccessOptions> options)
{
    /// <summary>Whether somebody without an account may do anything at all.</summary>
    public bool AllowsAnonymous => options.Value.Anonymous != AnonymousAccess.None;

    /// <summary>The caller that this login, or no credential at all (null), makes.</summary>
    public ExplainedCaller CallerFor(LoggedIn? login) => new PolicyCaller(this, login?.Account, login?.Limit);

    public bool MayListCatalog(Account? account) => account is not null || AllowsAnonymous;

    /// <summary>What an account, or nobody (null), may do with a repository as things stand now.</summary>
    public async ValueTask<Decision> DecideAsync(
        Account? account, RepositoryName repository, CancellationToken cancellationToken = default) =>
        Decide(account, repository, await FactsAsync(account, repository.Namespace, cancellationToken));

    /// <summary>What <see cref="Decide"/> needs to know.</summary>
    internal async ValueTask<NamespaceFacts> FactsAsync(
        Account? account, string name, CancellationToken cancellationToken = default) =>
        DecidesAlone(account) ? NamespaceFacts.Missing(name) : await ReadAsync(account, name, cancellationToken);

    private async Task<NamespaceFacts> ReadAsync(Account? account, string name, CancellationToken cancellationToken)
    {
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        return await db.ReadNamespaceAsync(name, account?.Id, cancellationToken);
    }

    /// <summary>The whole of the policy: no clock, no database, no state.</summary>
    public Decision Decide(Account? account, RepositoryName repository, NamespaceFacts facts)
    {
        var who = account is null ? "nobody in particular" : $"{account.Kind.ToString().ToLowerInvariant()} {account.Name}";
        if (account is { IsAdministrator: true }) return Simple(RepositoryActions.All, "administrators may do everything");
        if (options.Value.Anonymous == AnonymousAccess.Full) return Simple(RepositoryActions.All, "Access:Anonymous is Full");

        // What a stranger is told is one text, whatever there is.
        var stranger = account is not null ? $"no role in the namespace {facts.Name}, if there is one"
            : AllowsAnonymous ? "without an account one may pull from public namespaces alone" : "Access:Anonymous is None";
        List<string> path = [who];
        if (!facts.Exists)
        {
            path.Add($"there is no namespace {facts.Name}");
            if (account is not { CreatesNamespaces: true }) return new(RepositoryActions.None, stranger, path);
            path.Add("may create namespaces");
            return new(RepositoryActions.Pull | RepositoryActions.Push, "may create namespaces", path);
        }

        var (granted, reasons) = (RepositoryActions.None, new List<string>());
        path.Add($"namespace {facts.Name} is {facts.Visibility.ToString().ToLowerInvariant()}");
        if (facts.Role is { } role)
        {
            var source = role.Group is null ? "" : $" through the group {role.Group}";
            Add($"role {role.Role.ToString().ToLowerInvariant()} in {facts.Name}{source}", RightsOf(role.Role), AudienceOf(role.Role));
        }
        else
        {
            path.Add("no role in it");
        }

        if (facts.Visibility == Visibility.Public && (account is not null || AllowsAnonymous))
            Add($"{facts.Name} is public", RepositoryActions.Pull, RuleAudience.Public);

        // A member may know why; so may who can pull.
        var tell = facts.Role is not null || granted != RepositoryActions.None;
        return new(granted, tell ? string.Join("; ", reasons) : stranger, path);

        Decision Simple(RepositoryActions actions, string rule) => new(actions, rule, [who, rule]);

        void Add(string reason, RepositoryActions rights, RuleAudience audience)
        {
            reasons.Add(reason);
            path.Add($"{reason}: {Scope.Text(rights)}");
            foreach (var rule in facts.Rules.Where(rule => rule.Narrows(audience, repository)))
            {
                if ((rights & rule.Denied) == RepositoryActions.None) continue;
                rights &= ~rule.Denied;
                reasons.Add(rule.ToString());
                path.Add($"{rule}: left is {Scope.Text(rights)}");
            }

            granted |= rights;
        }
    }

    /// <summary>Whether an account manages a namespace: an administrator, or its maintainer.</summary>
    public async ValueTask<bool> MayManageAsync(Account account, NamespaceName name, CancellationToken cancellationToken = default) =>
        account.IsAdministrator || (await RoleAsync(account, name, cancellationToken))?.Role == NamespaceRole.Maintainer;

    /// <summary>The strongest role of an account in a namespace; null: none, or there is no such namespace.</summary>
    public async ValueTask<RoleGrant?> RoleAsync(Account account, NamespaceName name, CancellationToken cancellationToken = default) =>
        (await ReadAsync(account, name.ToString(), cancellationToken)).Role;

    public AccountReach ReachOf(Account? account) =>
        new(DecidesAlone(account), account is not null || AllowsAnonymous, account?.Id ?? 0);

    private bool DecidesAlone(Account? account) =>
        account is { IsAdministrator: true } || options.Value.Anonymous == AnonymousAccess.Full;

    private static RepositoryActions RightsOf(NamespaceRole role) => role switch
    {
        NamespaceRole.Reader => RepositoryActions.Pull,
        NamespaceRole.Writer => RepositoryActions.Pull | RepositoryActions.Push,
        NamespaceRole.Maintainer => RepositoryActions.All,
        _ => RepositoryActions.None,
    };

    private static RuleAudience AudienceOf(NamespaceRole role) => role switch
    {
        NamespaceRole.Reader => RuleAudience.Reader,
        NamespaceRole.Writer => RuleAudience.Writer,
        _ => RuleAudience.Maintainer,
    };
}
