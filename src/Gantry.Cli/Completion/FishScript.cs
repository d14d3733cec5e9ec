using System.Text;

namespace Gantry.Cli.Completion;

/// <summary>For fish, which asks each rule whether it holds.</summary>
internal static class FishScript
{
    public static string Of(CommandWords words)
    {
        var script = new StringBuilder("# gantry completion for fish\ncomplete -c gantry -f\n");
        foreach (var option in words.Globals) Option(script, "", option);
        foreach (var command in words.Commands)
        {
            script.Append($"complete -c gantry -n __fish_use_subcommand -a {command.Name} -d {Quoted(command.Description)}\n");
            var holds = $" -n '__fish_seen_subcommand_from {command.Name}'";
            foreach (var option in command.Options) Option(script, holds, option);
            var arguments = command.Argument switch
            {
                WordKind.LocalImage => " -a '(gantry images -q 2>/dev/null)'",
                WordKind.File => " -F",
                WordKind.Listed => $" -a '{string.Join(' ', command.Values)}'",
                _ => null,
            };
            if (arguments is not null) script.Append($"complete -c gantry{holds}{arguments}\n");
        }

        return script.ToString().TrimEnd('\n');
    }

    private static void Option(StringBuilder script, string holds, OptionWord option)
    {
        script.Append($"complete -c gantry{holds}");
        foreach (var name in option.Names) script.Append(name.StartsWith("--", StringComparison.Ordinal) ? $" -l {name[2..]}" : $" -s {name[1..]}");
        script.Append(option.Value switch
        {
            null => "",
            WordKind.File => " -r -F",
            WordKind.Listed => $" -x -a '{string.Join(' ', option.Values)}'",
            _ => " -x",
        });
        script.Append($" -d {Quoted(option.Description)}\n");
    }

    private static string Quoted(string text) => $"'{text.Replace("\\", "\\\\").Replace("'", "\\'")}'";
}
