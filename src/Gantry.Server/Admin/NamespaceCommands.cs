using System.CommandLine;
using Gantry.Core.Access;
using Gantry.Core.Events;

namespace Gantry.Server.Admin;

internal static class NamespaceCommands
{
    public static Command Create(AdminVerbs verbs) => new("namespace", "Namespaces: the first component of a repository's name.")
    {
        List(verbs), Make(verbs), Set(verbs), Delete(verbs),
    };

    private static Command List(AdminVerbs verbs) => verbs.Verb("list", "List all namespaces.", async (_, services, stop) =>
    {
        var namespaces = services.GetRequiredService<Namespaces>();
        string? last = null;
        while (await namespaces.PageAsync(AccountReach.Everything, "", last, Namespaces.MaxPage, stop) is { Count: > 0 } page)
        {
            AdminVerbs.Print([.. page.Select(row => new[] { row.Name, row.Visibility.ToString().ToLowerInvariant() })]);
            last = page[^1].Name;
        }

        return Verbs.Ok;
    });

    private static Command Make(AdminVerbs verbs)
    {
        var name = AdminArguments.Namespace();
        var visibility = Visibility();
        var maintainer = new Option<string?>("--maintainer") { Description = "the account that becomes its first maintainer" };
        return verbs.Verb("create", "Make a namespace.", async (result, services, stop) =>
        {
            Account? owner = null;
            if (result.GetValue(maintainer) is { } text)
            {
                owner = AccountName.TryParse(text, out var parsed)
                    ? await services.GetRequiredService<Accounts>().FindAsync(parsed, stop) : null;
                if (owner is null) return Verbs.Fail($"there is no account {text}");
            }

            var ns = result.GetValue(name);
            return AdminVerbs.Done(
                await services.GetRequiredService<Namespaces>()
                    .CreateAsync(ns, result.GetValue(visibility), owner, Actor.Console, stop), $"there is a namespace {ns} already");
        }, name, visibility, maintainer);
    }

    private static Command Set(AdminVerbs verbs)
    {
        var name = AdminArguments.Namespace();
        var visibility = Visibility();
        visibility.Required = true;
        return verbs.Verb("set", "Change a namespace.", async (result, services, stop) =>
        {
            var ns = result.GetValue(name);
            return AdminVerbs.Done(
                await services.GetRequiredService<Namespaces>()
                    .SetVisibilityAsync(ns, result.GetValue(visibility), Actor.Console, stop), $"there is no namespace {ns}");
        }, name, visibility);
    }

    private static Command Delete(AdminVerbs verbs)
    {
        var name = AdminArguments.Namespace();
        return verbs.Verb("delete", "Remove a namespace that has no repositories.", async (result, services, stop) =>
        {
            var ns = result.GetValue(name);
            return await services.GetRequiredService<Namespaces>().DeleteAsync(ns, Actor.Console, stop) switch
            {
                true => Verbs.Ok,
                false => Verbs.Fail($"{ns} has repositories"),
                null => Verbs.Fail($"there is no namespace {ns}"),
            };
        }, name);
    }

    private static Option<Visibility> Visibility() => new("--visibility") { Description = "private (the default) or public" };
}

internal static class MemberCommands
{
    public static Command Create(AdminVerbs verbs) => new("member", "Who has which role in a namespace.")
    {
        List(verbs), Set(verbs), Remove(verbs),
    };

    private static Command List(AdminVerbs verbs)
    {
        var name = AdminArguments.Namespace();
        return verbs.Verb("list", "List the members of a namespace.", async (result, services, stop) =>
        {
            var (members, last) = (services.GetRequiredService<Members>(), 0L);
            while (await members.PageAsync(result.GetValue(name), last, Members.MaxPage, stop) is { Count: > 0 } page)
            {
                AdminVerbs.Print([.. page.Select(row =>
                    new[] { row.Account ?? $"group:{row.Group}", row.Role.ToString().ToLowerInvariant() })]);
                last = page[^1].Id;
            }

            return Verbs.Ok;
        }, name);
    }

    private static Command Set(AdminVerbs verbs)
    {
        var (name, member, role) = (AdminArguments.Namespace(), Member(), AdminArguments.Role());
        return verbs.Verb("set", "Give an account or a group a role.", async (result, services, stop) =>
        {
            if (Parse(result.GetValue(member)!) is not { } who) return NotAMember(result.GetValue(member)!);
            var ns = result.GetValue(name);
            return AdminVerbs.Done(
                await services.GetRequiredService<Members>().SetAsync(ns, who, result.GetValue(role), Actor.Console, stop),
                $"there is no namespace {ns}, or no account {who}");
        }, name, member, role);
    }

    private static Command Remove(AdminVerbs verbs)
    {
        var (name, member) = (AdminArguments.Namespace(), Member());
        return verbs.Verb("remove", "Take a role away.", async (result, services, stop) =>
        {
            if (Parse(result.GetValue(member)!) is not { } who) return NotAMember(result.GetValue(member)!);
            var ns = result.GetValue(name);
            return AdminVerbs.Done(
                await services.GetRequiredService<Members>().RemoveAsync(ns, who, Actor.Console, stop), $"{who} is no member of {ns}");
        }, name, member);
    }

    private static Argument<string> Member() => new("member") { Description = "an account, or group:PROVIDER/GROUP" };

    private static MemberName? Parse(string text)
    {
        if (text.StartsWith("group:", StringComparison.Ordinal))
            return MemberName.IsGroup(text["group:".Length..]) ? MemberName.OfGroup(text["group:".Length..]) : null;
        return AccountName.TryParse(text, out var account) ? MemberName.Of(account) : null;
    }

    private static int NotAMember(string text) => Verbs.Usage([$"'{text}' is neither an account's name nor group:PROVIDER/GROUP"]);
}
