namespace Gantry.Server.Api;

/// <summary>What an endpoint wants of its caller; declared in <see cref="ApiRoutes"/>, checked by <see cref="ApiAccess"/>.</summary>
internal enum ApiNeeds
{
    /// <summary>Any account.</summary>
    Account,

    /// <summary>Anybody: an account, or nobody in particular where the registry lets such in. What is answered is what the caller may pull.</summary>
    Visitor,

    /// <summary>Who may pull from the path's repository under <c>/v2</c>, without an account too where it lets such in.</summary>
    Pull,

    /// <summary>The same, and from the repository that the query names, where it names one.</summary>
    PullBoth,

    /// <summary>Who may push to the path's repository under <c>/v2</c>.</summary>
    Push,

    /// <summary>Who may delete from the path's repository under <c>/v2</c>; nobody where the registry does not delete.</summary>
    Removal,

    /// <summary>A maintainer of the namespace of the path's repository, or an administrator, who may pull from it.</summary>
    Upkeep,

    /// <summary>An administrator, or an account that creates namespaces.</summary>
    NamespaceCreator,

    /// <summary>Somebody who may see the path's namespace: a member, or any account where it is public.</summary>
    Sight,

    /// <summary>A maintainer of the path's namespace, or an administrator.</summary>
    Maintainer,

    Administrator,

    /// <summary>The path's account itself, an administrator, or where it is a robot a maintainer of its home.</summary>
    Owner,

    /// <summary>A keeper of the path's webhook: a maintainer of its namespace, or an administrator.</summary>
    Keeper,

    /// <summary>
    /// As the query asks: an administrator, a maintainer of the repository's namespace, or, about oneself, somebody who may see
    /// that namespace.
    /// </summary>
    Explanation,

    /// <summary>An administrator, or a maintainer of the namespace that the query names.</summary>
    Audit,
}
