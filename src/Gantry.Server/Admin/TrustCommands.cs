using System.CommandLine;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Microsoft.Extensions.Options;

namespace Gantry.Server.Admin;

internal static class TrustCommands
{
    public static Command Create(AdminVerbs verbs) => new("trust", "Whose tokens stand for an account: logins of machines without a secret.")
    {
        List(verbs), Add(verbs), Remove(verbs),
    };

    private static Command List(AdminVerbs verbs)
    {
        var account = AdminArguments.Account();
        return verbs.Verb("list", "List the trusts of an account.", async (result, services, stop) =>
        {
            var trusts = await services.GetRequiredService<Trusts>().ListAsync(result.GetValue(account), stop);
            return AdminVerbs.Print([.. trusts.Select(Row)]);
        }, account);
    }

    private static Command Add(AdminVerbs verbs)
    {
        var account = AdminArguments.Account();
        var issuer = new Argument<string>("issuer") { Description = "its name in the configuration: Keyless:Issuers:NAME" };
        var claims = new Option<string[]>("--claim")
        {
            Description = "NAME=PATTERN: what a claim must be, * for any characters; repeated, all must match", Required = true,
        };
        var scopes = new Option<string[]>("--scope")
        {
            Description = "repository:PATTERN:ACTIONS, or * (all that the account may, the default); may be repeated",
        };
        return verbs.Verb("add", "Let tokens of an issuer with these claims stand for an account.", async (result, services, stop) =>
        {
            List<string> faults = [];
            var (owner, name) = (result.GetValue(account), result.GetValue(issuer)!);
            var rules = ParseClaims(result.GetValue(claims)!, faults);
            var asked = result.GetValue(scopes) is { Length: > 0 } given ? given : ["*"];
            if (!AccessLimit.TryParse(asked, out var limit, out var fault)) faults.Add(fault);
            if (!services.GetRequiredService<IOptions<KeylessOptions>>().Value.Issuers.ContainsKey(name))
                faults.Add($"there is no issuer {name} in the configuration (Keyless:Issuers)");
            if (faults.Count > 0) return Verbs.Usage(faults);

            return await services.GetRequiredService<Trusts>().AddAsync(owner, name, rules!, limit!, Actor.Console, stop) is { } made
                ? AdminVerbs.Print([Row(made)])
                : Verbs.Fail($"there is no account {owner}");
        }, account, issuer, claims, scopes);
    }

    private static Command Remove(AdminVerbs verbs)
    {
        var account = AdminArguments.Account();
        var id = new Argument<long>("id") { Description = "the trust's number" };
        return verbs.Verb("remove", "End a trust, and all that was made by it.", async (result, services, stop) =>
        {
            var owner = result.GetValue(account);
            return AdminVerbs.Done(
                await services.GetRequiredService<Trusts>().RemoveAsync(owner, result.GetValue(id), Actor.Console, stop),
                $"{owner} has no trust {result.GetValue(id)}");
        }, account, id);
    }

    private static ClaimRules? ParseClaims(string[] texts, List<string> faults)
    {
        var patterns = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            var end = text.IndexOf('=', StringComparison.Ordinal);
            if (end <= 0) faults.Add($"'{text}' is not of the form NAME=PATTERN");
            else if (!patterns.TryAdd(text[..end], text[(end + 1)..])) faults.Add($"the claim {text[..end]} is there twice");
        }

        if (faults.Count > 0) return null;
        if (!ClaimRules.TryParse(patterns, out var rules, out var fault)) faults.Add(fault);
        return rules;
    }

    private static string[] Row(Trust trust) =>
        [$"{trust.Id}", trust.Issuer, trust.Claims.ToString(), string.Join(' ', trust.Scopes)];
}
