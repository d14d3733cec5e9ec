using System.CommandLine;
using Gantry.Server;
using Gantry.Server.Admin;

// gantry-server serve | migrate | gc | scrub | admin ... Settings follow as --Section:Key=value.
// Exit codes: 0, 1 failure, 2 bad usage or configuration.

// Settings are taken out first: the parser would take one for an account's name.
var (words, settings) = Verbs.TakeSettings(args);

var root = new RootCommand("A container registry.")
{
    Verb("serve", "Run the registry in the foreground.", (_, settings) => Verbs.ServeAsync(settings)),
    Verb("migrate", "Bring the database up to date and stop.", (_, settings) => Verbs.MigrateAsync(settings)),
    GcCommands.Create(new AdminVerbs(settings)),
    ScrubCommand.Create(new AdminVerbs(settings)),
    AdminCommands.Create(settings),
};

var parsed = root.Parse(words);
if (parsed.Errors.Count > 0) return Verbs.Usage(parsed.Errors.Select(error => error.Message));

// Left to itself the parser ends the process two seconds after a signal, whatever transfers still run.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });

Command Verb(string name, string description, Func<ParseResult, string[], Task<int>> run, params Symbol[] symbols)
{
    var command = new Command(name, description) { TreatUnmatchedTokensAsErrors = false };
    foreach (var symbol in symbols)
    {
        if (symbol is Argument argument) command.Add(argument);
        if (symbol is Option option) command.Add(option);
    }

    command.SetAction((result, _) => run(result, [.. settings, .. result.UnmatchedTokens]));
    return command;
}
