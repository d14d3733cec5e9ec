namespace Gantry.Server.Ui;

/// <summary>What a page wants of its visitor; declared on the page, checked by <see cref="PageGuard"/> before anything of it runs.</summary>
internal enum Needs
{
    /// <summary>Nothing: signing in, and what everybody may do.</summary>
    Nothing,

    /// <summary>Somebody with an account, or nobody in particular where the registry lets such in.</summary>
    Visitor,

    /// <summary>Somebody with an account.</summary>
    Account,

    /// <summary>Who may see the path's namespace, <c>{Ns}</c>.</summary>
    Sight,

    /// <summary>A maintainer of the path's namespace, or an administrator.</summary>
    Maintainer,

    /// <summary>
    /// Who may pull from the path's repository, <c>{*Name}</c> (with a tag behind a colon, or a digest behind an @, where the page is about one).
    /// </summary>
    Repository,

    /// <summary>Who may pull from the path's repository and push to it.</summary>
    Push,

    /// <summary>Who may pull from the path's repository and delete in it.</summary>
    Delete,

    /// <summary>Who may pull from the path's repository and maintains its namespace.</summary>
    Upkeep,

    /// <summary>Who keeps the path's webhook, <c>{Id}</c>: the maintainers of its namespace; administrators keep all.</summary>
    Keeper,

    /// <summary>An administrator, or a maintainer of the namespace that the query names.</summary>
    Audit,

    Administrator,
}

/// <summary>Stands on every page; one without it is refused to everybody.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class NeedsAttribute(Needs needs) : Attribute
{
    public Needs Needs => needs;
}
