using System.CommandLine;
using Gantry.Core.Access;
using Gantry.Core.Events;

namespace Gantry.Server.Admin;

internal static class RuleCommands
{
    public static Command Create(AdminVerbs verbs) => new("rule", "Rules that narrow roles in parts of a namespace.")
    {
        List(verbs), Add(verbs), Remove(verbs),
    };

    private static Command List(AdminVerbs verbs)
    {
        var name = AdminArguments.Namespace();
        return verbs.Verb("list", "List the rules of a namespace.", async (result, services, stop) =>
        {
            var ns = result.GetValue(name);
            return await services.GetRequiredService<AccessRules>().ListAsync(ns, stop) is { } rules
                ? AdminVerbs.Print([.. rules.Select(rule => new[] { $"{rule.Id}", rule.Text })])
                : Verbs.Fail($"there is no namespace {ns}");
        }, name);
    }

    private static Command Add(AdminVerbs verbs)
    {
        var name = AdminArguments.Namespace();
        var pattern = AdminArguments.Of(
            "pattern", "repositories, * for any characters: acme/prod-*",
            text => RepositoryPattern.TryParse(text, out var parsed) ? parsed : (RepositoryPattern?)null, "a pattern of repositories");
        var audience = new Option<string>("--for") { Description = "public, reader, writer, maintainer; joined by commas", Required = true };
        var denied = new Option<string>("--deny") { Description = "pull, push, delete; joined by commas", Required = true };
        return verbs.Verb("add", "Take actions away from roles in the repositories that match.", async (result, services, stop) =>
        {
            var who = AccessRule.ParseAudience(result.GetValue(audience)!.Split(','));
            var actions = Scope.ParseActions(result.GetValue(denied)!);
            List<string> faults = [];
            if (who == RuleAudience.None) faults.Add("--for takes public, reader, writer, maintainer, joined by commas");
            if (actions == RepositoryActions.None) faults.Add("--deny takes pull, push, delete, joined by commas");
            if (faults.Count > 0) return Verbs.Usage(faults);

            var ns = result.GetValue(name);
            var rule = await services.GetRequiredService<AccessRules>()
                .AddAsync(ns, result.GetValue(pattern), who, actions, Actor.Console, stop);
            return rule is null ? Verbs.Fail($"there is no namespace {ns}") : AdminVerbs.Print(rule.ToString());
        }, name, pattern, audience, denied);
    }

    private static Command Remove(AdminVerbs verbs)
    {
        var name = AdminArguments.Namespace();
        var id = new Argument<long>("id") { Description = "the rule's number" };
        return verbs.Verb("remove", "Remove a rule.", async (result, services, stop) =>
        {
            var ns = result.GetValue(name);
            return AdminVerbs.Done(
                await services.GetRequiredService<AccessRules>().RemoveAsync(ns, result.GetValue(id), Actor.Console, stop),
                $"{ns} has no rule {result.GetValue(id)}");
        }, name, id);
    }
}

internal static class RobotCommands
{
    public static Command Create(AdminVerbs verbs) => new("robot", "The robots of a namespace.") { List(verbs), Make(verbs) };

    private static Command List(AdminVerbs verbs)
    {
        var name = AdminArguments.Namespace();
        return verbs.Verb("list", "List the robots of a namespace.", async (result, services, stop) =>
        {
            var robots = services.GetRequiredService<Robots>();
            string? last = null;
            while (await robots.PageAsync(result.GetValue(name), last, Robots.MaxPage, stop) is { Count: > 0 } page)
            {
                AdminVerbs.Print([.. page.Select(row => new[] { row.Name, row.DisabledAt is null ? "enabled" : "disabled" })]);
                last = page[^1].Name;
            }

            return Verbs.Ok;
        }, name);
    }

    private static Command Make(AdminVerbs verbs)
    {
        var name = AdminArguments.Namespace();
        var robot = new Argument<string>("name") { Description = "letters, digits, - and _; its account is robot.NAMESPACE.NAME" };
        var role = AdminArguments.Role();
        return verbs.Verb("create", "Make a robot, and print its account.", async (result, services, stop) =>
        {
            var ns = result.GetValue(name);
            if (!AccountName.TryForRobot(ns, result.GetValue(robot), out var account))
                return Verbs.Usage([$"'{result.GetValue(robot)}' is not a robot's name: letters, digits, - and _, beginning with a letter or digit"]);
            return await services.GetRequiredService<Robots>().CreateAsync(ns, account, result.GetValue(role), Actor.Console, stop)
                ? AdminVerbs.Print(account.ToString())
                : Verbs.Fail($"there is no namespace {ns}, or {account} exists");
        }, name, robot, role);
    }
}
