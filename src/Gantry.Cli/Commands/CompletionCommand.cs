using System.CommandLine;
using Gantry.Cli.Completion;
using Gantry.Cli.Output;

namespace Gantry.Cli.Commands;

internal static class CompletionCommand
{
    public static Command Create(Screen screen, RootCommand root)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        return new DocumentedCommand("completion", "Print a script that makes a shell complete gantry's words.")
        {
            Details = "Completes commands, options, files, and the names of images in the store, which it asks 'gantry images -q' for.",
            Examples =
            [
                ("source <(gantry completion bash)", "for this shell"),
                ("gantry completion bash >/etc/bash_completion.d/gantry", "for everybody"),
                ("gantry completion zsh >\"${fpath[1]}/_gantry\"", "zsh, for the next shell"),
                ("gantry completion fish >~/.config/fish/completions/gantry.fish", "fish"),
            ],
            Arguments = { shell },
        }.Runs(screen, (session, _) =>
        {
            var words = CommandWords.Of(root);
            screen.Result(session.Parsed.GetValue(shell) switch
            {
                "bash" => BashScript.Of(words),
                "zsh" => ZshScript.Of(words),
                _ => FishScript.Of(words),
            });
            return Task.FromResult(ExitCodes.Success);
        });
    }
}
