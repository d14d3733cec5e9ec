using System.CommandLine;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Oci;

namespace Gantry.Server.Admin;

internal static class ExplainCommand
{
    /// <summary>What stands for somebody without an account; no account can have that name.</summary>
    private const string Nobody = "-";

    public static Command Create(AdminVerbs verbs)
    {
        var account = new Argument<string>("account") { Description = $"who; {Nobody}: somebody without an account" };
        var action = new Argument<string>("action") { Description = "pull, push, delete; joined by commas" };
        var repository = AdminArguments.Of(
            "repository", "existing or not", text => RepositoryName.TryParse(text, out var parsed) ? parsed : (RepositoryName?)null,
            "a repository's name");
        return verbs.Verb("explain", "Say what an account may do with a repository, and why. Exits with 1 where it may not.",
            async (result, services, stop) =>
            {
                var (who, what) = (result.GetValue(account)!, result.GetValue(action)!);
                AccountName? name = AccountName.TryParse(who, out var parsed) ? parsed : null;
                var actions = Scope.ParseActions(what);
                List<string> faults = [];
                if (name is null && who != Nobody) faults.Add($"'{who}' is not an account's name");
                if (actions == RepositoryActions.None) faults.Add($"'{what}' is not pull, push or delete");
                if (faults.Count > 0) return Verbs.Usage(faults);

                var explanation = await services.GetRequiredService<AccessExplanation>()
                    .ExplainAsync(name, actions, result.GetValue(repository), stop);
                foreach (var step in explanation.Steps) AdminVerbs.Print(step);
                return explanation.IsAllowed ? Verbs.Ok : Verbs.Failure;
            }, account, action, repository);
    }
}

internal static class EventsCommand
{
    public static Command Create(AdminVerbs verbs)
    {
        var account = new Option<string?>("--account") { Description = "who did it, or to whom it was done" };
        var ns = new Option<string?>("--namespace") { Description = "in this namespace" };
        var repository = new Option<string?>("--repository") { Description = "in this repository" };
        var kind = new Option<string?>("--kind") { Description = "push, login, denied, member.set, ..." };
        var limit = new Option<int>("--limit") { Description = "how many, 1 to 1000", DefaultValueFactory = _ => 50 };
        return verbs.Verb("events", "Show what happened, newest first.", async (result, services, stop) =>
        {
            if (result.GetValue(limit) is < 1 or > AuditListing.MaxPage) return Verbs.Usage(["--limit takes 1 to 1000"]);
            var filter = new AuditFilter
            {
                Account = result.GetValue(account), Namespace = result.GetValue(ns), Repository = result.GetValue(repository),
                Kind = result.GetValue(kind),
            };
            var events = await services.GetRequiredService<AuditListing>().PageAsync(filter, null, result.GetValue(limit), stop);
            return AdminVerbs.Print([.. events.Select(row => new[]
            {
                $"{row.At:u}", row.Kind, row.Account ?? "-", row.Address ?? "-", row.Repository ?? row.Namespace ?? "-",
                string.Join(' ', new[] { row.Tag, row.Digest, row.Subject, row.Detail }.Where(text => text is not null)),
                row.Client ?? "-", row.RequestId ?? "-",
            })]);
        }, account, ns, repository, kind, limit);
    }
}
