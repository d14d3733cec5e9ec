using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Core.Webhooks;
using Gantry.Oci;

namespace Gantry.Server.Ui;

/// <summary>
/// The rules of <c>/v2</c> and of the API, for pages: what the visitor may not see is told from what is not there by nobody. Every
/// denial of an account is recorded; a listing that shows less is none.
/// </summary>
internal sealed class PageAccess(AccessPolicy policy, Namespaces namespaces, WebhookList webhooks, AuditTrail audit)
{
    /// <returns>False: only for want of a session; signing in may help.</returns>
    /// <exception cref="PageException">403, 404.</exception>
    public async Task<bool> AllowsAsync(Visit visit, Needs needs)
    {
        var mayVisit = visit.Login is not null || policy.AllowsAnonymous;
        switch (needs)
        {
            case Needs.Nothing:
                return true;
            case Needs.Visitor:
                return mayVisit;
            case Needs.Sight or Needs.Repository when !mayVisit:
                return false;
            case Needs.Sight:
                await SeeAsync(visit, (string?)visit.Http.Request.RouteValues["Ns"]);
                return true;
            case Needs.Repository:
                await ReadAsync(visit);
                return true;
            case var _ when visit.Login is null:
                return false;
            case Needs.Account:
                return true;
            case Needs.Push:
                await ReadAsync(visit);
                await RequireAsync(visit, RepositoryActions.Push);
                return true;
            case Needs.Delete:
                await ReadAsync(visit);
                await RequireAsync(visit, RepositoryActions.Delete);
                return true;
            case Needs.Upkeep:
                await ReadAsync(visit);
                if (!visit.Manages) throw await DeniedAsync(visit, $"This page is for maintainers of {visit.Repository.Namespace}.", visit.Repository.Namespace);
                return true;
            case Needs.Keeper:
                await KeepAsync(visit);
                return true;
            case Needs.Maintainer:
                await MaintainAsync(visit, (string?)visit.Http.Request.RouteValues["Ns"]);
                return true;
            case Needs.Audit when !visit.IsAdministrator && visit.Query("namespace") is { } name:
                await MaintainAsync(visit, name);
                return true;
            default:
                if (!visit.IsAdministrator) throw await DeniedAsync(visit, "This page is for administrators.", null);
                return true;
        }
    }

    /// <summary>For what a form does beyond its page: the right to do it in the page's repository.</summary>
    /// <exception cref="PageException">403.</exception>
    public async Task RequireAsync(Visit visit, RepositoryActions actions)
    {
        if ((visit.Granted & actions) == actions) return;
        throw await DeniedAsync(visit, $"This needs the right to {Scope.Text(actions)} in {visit.Repository}.", visit.Repository.Namespace);
    }

    /// <summary>For what a form does beyond its page.</summary>
    /// <exception cref="PageException">403.</exception>
    public async Task RequireAsync(Visit visit, bool isAllowed, string otherwise)
    {
        if (!isAllowed) throw await DeniedAsync(visit, otherwise, null);
    }

    private async Task SeeAsync(Visit visit, string? text)
    {
        var found = NamespaceName.TryParse(text, out var name)
            ? await namespaces.FindAsync(policy.ReachOf(visit.Account), name, visit.Aborted) : null;
        visit.Namespace = found ?? throw await HiddenAsync(visit, text);
        visit.Manages = visit.Account is { } account && await policy.MayManageAsync(account, name, visit.Aborted);
    }

    private async Task MaintainAsync(Visit visit, string? text)
    {
        await SeeAsync(visit, text);
        if (!visit.Manages) throw await DeniedAsync(visit, $"This page is for maintainers of {text} and for administrators.", text);
    }

    private async Task ReadAsync(Visit visit)
    {
        // No repository's name holds a colon or an at sign: what follows is a tag or a digest.
        var path = (string?)visit.Http.Request.RouteValues["Name"] ?? "";
        var end = path.AsSpan().IndexOfAny(':', '@');
        if (!RepositoryName.TryParse(end < 0 ? path : path[..end], out var repository)) throw PageException.NotFound();
        if (end >= 0) visit.Reference = ReferenceOf(path[end], path[(end + 1)..]) ?? throw PageException.NotFound();

        visit.Repository = repository;
        visit.Granted = (await policy.CallerFor(visit.Login).DecideAsync(repository, visit.Aborted)).Granted;
        if (!visit.Granted.HasFlag(RepositoryActions.Pull)) throw await HiddenAsync(visit, repository.Namespace);
        visit.Manages = visit.Account is { } account && await policy.MayManageAsync(account, NamespaceName.Parse(repository.Namespace), visit.Aborted);
    }

    // Those that others keep are told from none by nobody.
    private async Task KeepAsync(Visit visit)
    {
        var found = long.TryParse((string?)visit.Http.Request.RouteValues["Id"], System.Globalization.NumberStyles.None, null, out var id)
            ? await webhooks.FindAsync(id, visit.Aborted) : null;
        visit.Manages = found?.Namespace is { } home && await policy.MayManageAsync(visit.Account!, NamespaceName.Parse(home), visit.Aborted);
        if (found is null || !(visit.IsAdministrator || visit.Manages)) throw await HiddenAsync(visit, null);
        visit.Webhook = found;
    }

    private static Reference? ReferenceOf(char mark, string text) =>
        Reference.TryParse(text, out var reference) && mark == (reference.Tag is null ? '@' : ':') ? reference : null;

    private async Task<PageException> HiddenAsync(Visit visit, string? name)
    {
        if (!visit.IsAdministrator) await RecordAsync(visit, "there is nothing, or nothing that may be seen", name);
        return PageException.NotFound();
    }

    private async Task<PageException> DeniedAsync(Visit visit, string why, string? name)
    {
        await RecordAsync(visit, why, name);
        return PageException.Forbidden(why);
    }

    // Nobody in particular asks for much, and is nobody to be known by it.
    private async Task RecordAsync(Visit visit, string why, string? name)
    {
        if (visit.Name is null) return;
        await audit.RecordAsync(
            new Event(EventKinds.Denied)
            {
                Namespace = NamespaceName.TryParse(name, out _) ? name : null, Detail = $"page {visit.Http.Request.Path.Value}: {why}",
            },
            visit.Actor, visit.Aborted);
    }
}
