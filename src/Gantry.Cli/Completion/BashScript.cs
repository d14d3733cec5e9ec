using System.Text;

namespace Gantry.Cli.Completion;

/// <summary>For bash, without the bash-completion package. Names with a colon are cut at bash's own word breaks, so only what follows the last one is offered.</summary>
internal static class BashScript
{
    public static string Of(CommandWords words)
    {
        var script = new StringBuilder("""
            # gantry completion for bash: source <(gantry completion bash)
            _gantry() {
              local cur=${COMP_WORDS[COMP_CWORD]} command= words= values= kind= i word line=${COMP_LINE:0:COMP_POINT}
              local whole=${line##*[[:space:]]} prev=${line%"${line##*[[:space:]]}"}
              prev=${prev%"${prev##*[![:space:]]}"} prev=${prev##*[[:space:]]}
              local with_value=" @WITHVALUE@ "
              local skip=
              for word in ${line% *}; do
                if [[ -n $skip ]]; then skip=; continue; fi
                case $word in
                  gantry | */gantry) ;;
                  -*) [[ $with_value == *" $word "* ]] && skip=1 ;;
                  *) command=$word; break ;;
                esac
              done
              [[ -n $command && $line != *"$command "* ]] && command=
              case $prev in
            @PREVIOUS@
              esac
              if [[ -z $kind ]]; then
                case $command in
                  '') words="@COMMANDS@ @GLOBALS@" ;;
            @CASES@
                esac
              fi
              if [[ $whole == -* && -z $kind$values || -z $command && -z $kind$values ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$words" -- "$whole")
              elif [[ -n $values ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$values" -- "$whole")
              elif [[ $kind == file ]]; then
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -f -- "$whole")
              elif [[ $kind == image ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$(gantry images -q 2>/dev/null)" -- "$whole")
                local before=${whole%"${whole##*:}"}
                [[ $whole == *:* && $COMP_WORDBREAKS == *:* ]] && COMPREPLY=("${COMPREPLY[@]#"$before"}")
              fi
            }
            complete -F _gantry gantry
            """);
        var all = words.Globals.Concat(words.Commands.SelectMany(command => command.Options)).ToList();
        var withValue = all.Where(option => option.Value is not null).SelectMany(option => option.Names).Distinct(StringComparer.Ordinal);
        var previous = all.Where(option => option.Value is not null).GroupBy(option => (option.Value, string.Join(' ', option.Values)))
            .Select(group => $"    {string.Join(" | ", group.SelectMany(option => option.Names).Distinct(StringComparer.Ordinal))}) {Set(group.Key.Value!.Value, group.Key.Item2)} ;;");
        var cases = words.Commands.Select(command =>
            $"      {command.Name}) words=\"{string.Join(' ', command.Options.SelectMany(option => option.Names))} @GLOBALS@\" {Set(command.Argument, string.Join(' ', command.Values))} ;;");

        // A word that begins with a dash is an option even where a file or an image may stand.
        return script.Replace("@PREVIOUS@", string.Join('\n', previous)).Replace("@CASES@", string.Join('\n', cases))
            .Replace("@WITHVALUE@", string.Join(' ', withValue)).Replace("@COMMANDS@", string.Join(' ', words.Commands.Select(command => command.Name)))
            .Replace("@GLOBALS@", string.Join(' ', words.Globals.SelectMany(option => option.Names)))
            .Replace("[[ $whole == -* && -z $kind$values || -z $command && -z $kind$values ]]", "[[ $whole == -* || -z $command && -z $kind$values ]]").ToString();
    }

    private static string Set(WordKind kind, string values) => kind switch
    {
        WordKind.File => "kind=file",
        WordKind.LocalImage => "kind=image",
        WordKind.Listed => $"kind=list values=\"{values}\"",
        _ => "kind=none",
    };
}
