using Gantry.Oci;

namespace Gantry.Core.Access;

/// <summary>Why an account may, or may not, do something.</summary>
/// <param name="Steps">The whole way of the decision, a sentence each.</param>
public sealed record Explanation(
    string Account, string Asked, string Repository, bool IsAllowed, string Granted, IReadOnlyList<string> Steps);

/// <summary>
/// Explains decisions to those who may know all of it: administrators, maintainers of the namespace, and everybody about
/// what they themselves may read.
/// </summary>
public sealed class AccessExplanation(Accounts accounts, AccessPolicy policy)
{
    /// <param name="name">Null: nobody, without an account.</param>
    public async Task<Explanation> ExplainAsync(
        AccountName? name, RepositoryActions actions, RepositoryName repository, CancellationToken cancellationToken)
    {
        var row = name is { } known ? await accounts.FindRowAsync(known, cancellationToken) : null;
        if (name is not null && row is null) return Refused($"there is no account {name}");
        if (row?.DisabledAt is { } since) return Refused($"account {name} is disabled since {since:u}: every login of it is refused");

        var decision = await policy.DecideAsync(row?.ToAccount(), repository, cancellationToken);
        var allowed = (decision.Granted & actions) == actions;
        return Of(allowed, decision.Granted,
            [.. decision.Path, $"granted: {Scope.Text(decision.Granted)}; asked: {Scope.Text(actions)}: {(allowed ? "allowed" : "denied")}"]);

        Explanation Refused(string why) => Of(false, RepositoryActions.None, [why]);

        Explanation Of(bool isAllowed, RepositoryActions granted, IReadOnlyList<string> steps) =>
            new(name?.ToString() ?? "", Scope.Text(actions), repository.ToString(), isAllowed, Scope.Text(granted), steps);
    }
}
