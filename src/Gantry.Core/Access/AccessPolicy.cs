using Gantry.Oci;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>
/// The rules, until namespaces have roles: administrators may do everything; other accounts pull and push everywhere;
/// without an account it is <see cref="AccessOptions.Anonymous"/> that decides. An account never may less than nobody.
/// </summary>
public sealed class AccessPolicy(IOptions<AccessOptions> options)
{
    /// <summary>The caller that a password of this account, or no credential at all (null), makes.</summary>
    public ExplainedCaller CallerFor(Account? account) => new PolicyCaller(this, account);

    /// <summary>What an account, or nobody (null), may do with a repository, and the rule that says so.</summary>
    public Decision Decide(Account? account, RepositoryName repository)
    {
        _ = repository;
        var anonymous = options.Value.Anonymous switch
        {
            AnonymousAccess.Full => RepositoryActions.All,
            AnonymousAccess.Pull => RepositoryActions.Pull,
            _ => RepositoryActions.None,
        };
        return account switch
        {
            null => new(anonymous, $"Access:Anonymous is {options.Value.Anonymous}"),
            { IsAdministrator: true } => new(RepositoryActions.All, "administrators may do everything"),
            _ => new(RepositoryActions.Pull | RepositoryActions.Push | anonymous, "accounts may pull and push"),
        };
    }

    public bool MayListCatalog(Account? account) => account is not null || AllowsAnonymous;

    /// <summary>Whether somebody without an account may do anything at all.</summary>
    public bool AllowsAnonymous => options.Value.Anonymous != AnonymousAccess.None;
}
