using System.CommandLine;
using Gantry.Core.Access;
using Gantry.Core.Events;

namespace Gantry.Server.Admin;

internal static class AccessTokenCommands
{
    public static Command Create(AdminVerbs verbs) => new("token", "Access tokens of people and robots.")
    {
        List(verbs), Make(verbs), Revoke(verbs),
    };

    private static Command List(AdminVerbs verbs)
    {
        var account = AdminArguments.Account();
        return verbs.Verb("list", "List the access tokens of an account.", async (result, services, stop) =>
        {
            var tokens = await services.GetRequiredService<AccessTokens>().ListAsync(result.GetValue(account), stop);
            return AdminVerbs.Print([.. tokens.Select(token => new[]
            {
                $"{token.Id}", token.Name, string.Join(' ', token.Scopes),
                token.ExpiresAt is { } end ? $"expires {end:u}" : "never expires",
                token.LastUsedAt is { } used ? $"used {used:u}" : "never used",
            })]);
        }, account);
    }

    private static Command Make(AdminVerbs verbs)
    {
        var account = AdminArguments.Account();
        var name = new Argument<string>("name") { Description = "what it is for" };
        var scopes = new Option<string[]>("--scope")
        {
            Description = "repository:PATTERN:ACTIONS, api:* or * (all that the account may, the default); may be repeated",
        };
        var days = new Option<int>("--expires-in-days") { Description = "0: never", DefaultValueFactory = _ => 90 };
        return verbs.Verb("create", "Make an access token, and print it: nobody can read it again.", async (result, services, stop) =>
        {
            List<string> faults = [];
            var text = result.GetValue(name)!;
            if (text.Length is 0 or > AccessTokens.MaxNameLength || text.Any(char.IsControl))
                faults.Add($"the name must have 1 to {AccessTokens.MaxNameLength} characters");
            var asked = result.GetValue(scopes) is { Length: > 0 } given ? given : ["*"];
            if (!AccessLimit.TryParse(asked, out var limit, out var fault)) faults.Add(fault);
            var lifetime = result.GetValue(days);
            if (lifetime is < 0 or > 3660) faults.Add("--expires-in-days takes 0 to 3660");
            if (faults.Count > 0) return Verbs.Usage(faults);

            var end = lifetime == 0 ? (DateTimeOffset?)null : services.GetRequiredService<TimeProvider>().GetUtcNow().AddDays(lifetime);
            var owner = result.GetValue(account);
            return await services.GetRequiredService<AccessTokens>().CreateAsync(owner, text, limit!, end, Actor.Console, stop) is { } made
                ? AdminVerbs.Print(made.Text)
                : Verbs.Fail($"there is no account {owner}");
        }, account, name, scopes, days);
    }

    private static Command Revoke(AdminVerbs verbs)
    {
        var account = AdminArguments.Account();
        var id = new Argument<long>("id") { Description = "the token's number" };
        return verbs.Verb("revoke", "End an access token, and all that was made from it.", async (result, services, stop) =>
        {
            var owner = result.GetValue(account);
            return AdminVerbs.Done(
                await services.GetRequiredService<AccessTokens>().RevokeAsync(owner, result.GetValue(id), Actor.Console, stop),
                $"{owner} has no access token {result.GetValue(id)}");
        }, account, id);
    }
}
