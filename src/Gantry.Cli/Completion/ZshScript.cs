using System.Text;

namespace Gantry.Cli.Completion;

/// <summary>For zsh: one function for the command, one case for each of its own.</summary>
internal static class ZshScript
{
    public static string Of(CommandWords words)
    {
        var script = new StringBuilder("""
            #compdef gantry
            # gantry completion for zsh
            _gantry_images() {
              local -a images
              images=(${(f)"$(gantry images -q 2>/dev/null)"})
              (( ${#images} )) && compadd -a images
            }
            _gantry() {
              local context state line
              local -a globals commands
              globals=(

            """);
        foreach (var option in words.Globals) Option(script, "    ", option);
        script.Append("  )\n  commands=(\n");
        foreach (var command in words.Commands) script.Append($"    {Quoted($"{command.Name}:{command.Description}")}\n");
        script.Append("""
              )
              _arguments -C $globals '1: :->command' '*:: :->argument'
              case $state in
                command) _describe command commands ;;
                argument)
                  case $words[1] in

            """);
        foreach (var command in words.Commands)
        {
            script.Append($"        {command.Name}) _arguments $globals \\\n");
            foreach (var option in command.Options) Option(script, "          ", option, " \\");
            script.Append($"          {Quoted($"*:{Argument(command)}")} ;;\n");
        }

        return script.Append("""
                  esac ;;
              esac
            }
            if [[ $funcstack[1] == _gantry ]]; then _gantry "$@"; else compdef _gantry gantry; fi
            """).ToString();
    }

    private static string Argument(CommandWord command) => command.Argument switch
    {
        WordKind.LocalImage => "image:_gantry_images",
        WordKind.File => "file:_files",
        WordKind.Listed => $"value:({string.Join(' ', command.Values)})",
        _ => "argument: ",
    };

    private static void Option(StringBuilder script, string indent, OptionWord option, string end = "")
    {
        var description = option.Description.Replace("[", "\\[").Replace("]", "\\]").Replace(":", "\\:");
        foreach (var name in option.Names)
        {
            var value = option.Value switch
            {
                null => "",
                WordKind.File => ":file:_files",
                WordKind.Listed => $":value:({string.Join(' ', option.Values)})",
                _ => ":value: ",
            };
            script.Append($"{indent}{Quoted($"*{name}[{description}]{value}")}{end}\n");
        }
    }

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''")}'";
}
