using System.CommandLine;
using Gantry.Cli;
using Gantry.Cli.Commands;
using Gantry.Cli.Help;
using Gantry.Cli.Output;
using Gantry.Cli.Running;

// gantry COMMAND [OPTION...] [ARGUMENT...]. One file a command in Commands/; the exit codes are in ExitCodes.

var tree = CommandTree.Create(Screen.System);
var words = ContainerCommandLine.Separate(HelpWords.Of(args), tree);
// A word that begins with @ is a word, and no file of more of them: it may be a container's.
var parsed = tree.Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null });
if (parsed.Action is not HelpPage && (parsed.Errors.Count > 0 || UsageErrors.HasUnknownOption(parsed))) return UsageErrors.Show(parsed, Screen.System);

using var stop = new StopSignals();
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false }, stop.Token);
