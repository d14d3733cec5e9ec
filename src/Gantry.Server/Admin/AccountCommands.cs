using System.CommandLine;
using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Core.Events;

namespace Gantry.Server.Admin;

internal static class AccountCommands
{
    public static Command Create(AdminVerbs verbs) => new("account", "People and robots.")
    {
        List(verbs), Make(verbs), Set(verbs), Delete(verbs),
    };

    public static Command ResetPassword(AdminVerbs verbs)
    {
        var account = AdminArguments.Account();
        account.DefaultValueFactory = _ => AccountName.Parse(AdminBootstrap.Name);
        var fromInput = PasswordFromInput("read the new password from standard input instead of making one up");
        return verbs.Verb("reset-password", "Give an account a new password, and print it.", async (result, services, stop) =>
        {
            var chosen = result.GetValue(fromInput) ? await Console.In.ReadLineAsync(stop) : null;
            var name = result.GetValue(account);
            var password = await services.GetRequiredService<Accounts>().ResetPasswordAsync(name, chosen, Actor.Console, stop);
            if (password is null) return Verbs.Fail($"there is no person's account {name}");
            return chosen is null ? AdminVerbs.Print(password) : Verbs.Ok;
        }, account, fromInput);
    }

    private static Command List(AdminVerbs verbs) => verbs.Verb("list", "List all accounts.", async (_, services, stop) =>
    {
        var accounts = services.GetRequiredService<Accounts>();
        string? last = null;
        while (await accounts.PageAsync(last, Accounts.MaxPage, stop) is { Count: > 0 } page)
        {
            AdminVerbs.Print([.. page.Select(Row)]);
            last = page[^1].Name;
        }

        return Verbs.Ok;
    });

    private static string[] Row(AccountRow row) =>
    [
        row.Name, row.Kind, row.DisabledAt is null ? "enabled" : "disabled", row.IsAdministrator ? "administrator" : "-",
        row.CreatesNamespaces ? "creates-namespaces" : "-",
    ];

    private static Command Make(AdminVerbs verbs)
    {
        var account = AdminArguments.Account();
        var administrator = new Option<bool>("--administrator") { Description = "may do everything" };
        var creates = new Option<bool>("--creates-namespaces") { Description = "makes namespaces by pushing to them" };
        var fromInput = PasswordFromInput("read the password from standard input instead of making one up");
        return verbs.Verb("create", "Make a person's account, and print its password.", async (result, services, stop) =>
        {
            var chosen = result.GetValue(fromInput) ? await Console.In.ReadLineAsync(stop) : null;
            var (name, password) = (result.GetValue(account), chosen ?? PasswordRules.Generate());
            var settings = new AccountSettings
            {
                IsAdministrator = result.GetValue(administrator), CreatesNamespaces = result.GetValue(creates),
            };
            if (!await services.GetRequiredService<Accounts>().CreateAsync(name, password, settings, Actor.Console, stop))
                return Verbs.Fail($"the name {name} is taken");
            return chosen is null ? AdminVerbs.Print(password) : Verbs.Ok;
        }, account, administrator, creates, fromInput);
    }

    private static Command Set(AdminVerbs verbs)
    {
        var account = AdminArguments.Account();
        var disabled = new Option<bool?>("--disabled") { Description = "true: every login of it ends at once" };
        var administrator = new Option<bool?>("--administrator") { Description = "may do everything" };
        var creates = new Option<bool?>("--creates-namespaces") { Description = "makes namespaces by pushing to them" };
        return verbs.Verb("set", "Change an account: each option takes true or false.", async (result, services, stop) =>
        {
            var name = result.GetValue(account);
            var settings = new AccountSettings
            {
                Disabled = result.GetValue(disabled), IsAdministrator = result.GetValue(administrator),
                CreatesNamespaces = result.GetValue(creates),
            };
            if (settings == new AccountSettings()) return Verbs.Usage(["nothing to change was given"]);
            return AdminVerbs.Done(
                await services.GetRequiredService<Accounts>().ChangeAsync(name, settings, Actor.Console, stop), $"there is no account {name}");
        }, account, disabled, administrator, creates);
    }

    private static Command Delete(AdminVerbs verbs)
    {
        var account = AdminArguments.Account();
        return verbs.Verb("delete", "Remove an account with its roles and access tokens.", async (result, services, stop) =>
        {
            var name = result.GetValue(account);
            return AdminVerbs.Done(
                await services.GetRequiredService<Accounts>().DeleteAsync(name, Actor.Console, stop), $"there is no account {name}");
        }, account);
    }

    private static Option<bool> PasswordFromInput(string description) => new("--password-stdin") { Description = description };
}
