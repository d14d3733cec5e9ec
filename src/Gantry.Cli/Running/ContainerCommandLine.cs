using System.CommandLine;

namespace Gantry.Cli.Running;

/// <summary>
/// What follows the image in <c>gantry run</c> is the container's, options and all. The parser would take <c>-e</c> of <c>gantry run debian ls -e</c> for its own; so "--",
/// which it stops at, is put behind the image.
/// </summary>
internal static class ContainerCommandLine
{
    public static string[] Separate(string[] words, Command tree)
    {
        var run = tree.Subcommands.First(command => command.Name == "run");
        var options = run.Options.Concat(tree.Options).ToList();
        var seen = 0;
        for (var i = 0; i < words.Length; i++)
        {
            var word = words[i];
            if (word == "--") return words;
            if (word.Length > 1 && word[0] == '-')
            {
                if (!word.Contains('=', StringComparison.Ordinal) && TakesValue(word, options)) i++;
                continue;
            }

            if (seen++ == 0 && word != run.Name) return words;
            if (seen == 2) return i + 1 < words.Length && words[i + 1] == "--" ? words : [.. words[..(i + 1)], "--", .. words[(i + 1)..]];
        }

        return words;
    }

    /// <summary>Of several letters in one word the last may.</summary>
    private static bool TakesValue(string word, List<Option> options)
    {
        var name = word.StartsWith("--", StringComparison.Ordinal) || word.Length == 2 ? word : $"-{word[^1]}";
        var option = options.Find(each => each.Name == name || each.Aliases.Contains(name));
        return option is { Arity.MinimumNumberOfValues: > 0 };
    }
}
