using System.CommandLine;
using System.CommandLine.Invocation;
using Gantry.Cli.Commands;
using Gantry.Cli.Output;

namespace Gantry.Cli.Help;

/// <summary>A command's page, in the parts and the order of a man page, as wide as the terminal up to 100 columns.</summary>
internal sealed class HelpPage(Screen screen) : SynchronousCommandLineAction
{
    private const int MaxColumns = 100, Indent = 4, Column = 30;

    public override int Invoke(ParseResult parseResult)
    {
        var columns = Math.Min(MaxColumns, screen.AreResultsOnTerminal ? screen.Size().Columns : MaxColumns);
        foreach (var line in Lines(parseResult.CommandResult.Command, parseResult.RootCommandResult.Command, Math.Max(40, columns))) screen.Result(line);
        return ExitCodes.Success;
    }

    /// <summary>All of a page.</summary>
    public static IEnumerable<string> Lines(Command command, Command root, int columns)
    {
        var isRoot = command == root;
        var path = isRoot ? "gantry" : $"gantry {command.Name}";
        yield return "NAME";
        foreach (var line in Wrap($"{path.Replace(' ', '-')} - {command.Description}", Indent, columns)) yield return line;

        foreach (var line in Part("SYNOPSIS")) yield return line;
        foreach (var line in Wrap(Synopsis(command, path, isRoot), Indent, columns)) yield return line;

        var details = command is DocumentedCommand documented ? documented.Details : RootText.Details;
        foreach (var line in Part("DESCRIPTION")) yield return line;
        foreach (var line in Paragraphs(details, columns)) yield return line;

        if (isRoot)
        {
            foreach (var line in Part("COMMANDS")) yield return line;
            foreach (var line in command.Subcommands.SelectMany(each => Entry(each.Name, each.Description ?? "", columns))) yield return line;
        }

        if (command.Arguments.Count > 0)
        {
            foreach (var line in Part("ARGUMENTS")) yield return line;
            foreach (var line in command.Arguments.SelectMany(each => Entry(each.Name, each.Description ?? "", columns))) yield return line;
        }

        var own = command.Options.Where(option => !option.Recursive && !option.Hidden).ToList();
        if (own.Count > 0)
        {
            foreach (var line in Part("OPTIONS")) yield return line;
            foreach (var line in own.SelectMany(option => Entry(Option(option), option.Description ?? "", columns))) yield return line;
        }

        foreach (var line in Part("GLOBAL OPTIONS")) yield return line;
        foreach (var line in root.Options.Where(option => option.Recursive).SelectMany(option => Entry(Option(option), option.Description ?? "", columns))) yield return line;

        foreach (var line in Part("EXAMPLES")) yield return line;
        foreach (var (typed, meaning) in command is DocumentedCommand page ? page.Examples : RootText.Examples)
        {
            yield return $"{new string(' ', Indent)}$ {typed}";
            foreach (var line in Wrap(meaning, Indent + 6, columns)) yield return line;
        }

        foreach (var line in Part("EXIT STATUS")) yield return line;
        if (isRoot) foreach (var line in ExitCodes.Table.SelectMany(row => Entry(row.Code, row.Meaning, columns, 14))) yield return line;
        else foreach (var line in Wrap(command is DocumentedCommand { FailureCode: not null } ? RootText.RunStatus : RootText.Status, Indent, columns)) yield return line;
        foreach (var line in Part("ENVIRONMENT")) yield return line;
        foreach (var line in RootText.Environment.SelectMany(row => Entry(row.Name, row.Meaning, columns))) yield return line;
        foreach (var line in Part("FILES")) yield return line;
        foreach (var line in RootText.Files.SelectMany(row => Entry(row.Name, row.Meaning, columns))) yield return line;
        if (isRoot) yield break;
        foreach (var line in Part("SEE ALSO")) yield return line;
        foreach (var line in Wrap(string.Join(", ", RootText.Related(command.Name).Prepend("gantry").Select(name => name == "gantry" ? "gantry --help" : $"gantry {name}")), Indent, columns)) yield return line;
    }

    private static string[] Part(string title) => ["", title];

    private static string Synopsis(Command command, string path, bool isRoot)
    {
        if (isRoot) return "gantry [OPTION...] COMMAND [ARGUMENT...]";
        var arguments = command.Arguments.Select(argument =>
        {
            var word = argument.Arity.MaximumNumberOfValues > 1 ? $"{argument.Name}..." : argument.Name;
            return argument.Arity.MinimumNumberOfValues == 0 ? $"[{word}]" : word;
        });
        return string.Join(' ', [path, "[OPTION...]", .. arguments]);
    }

    private static string Option(Option option)
    {
        var names = option.Aliases.Where(alias => alias is not ("-?" or "/?" or "/h" or "--net")).Prepend(option.Name).OrderBy(name => name.Length).Distinct(StringComparer.Ordinal);
        return string.Join(", ", names) + (option.HelpName is { } value ? $" {value}" : "");
    }

    private static IEnumerable<string> Paragraphs(string text, int columns)
    {
        var isFirst = true;
        foreach (var paragraph in text.ReplaceLineEndings("\n").Split("\n\n"))
        {
            if (!isFirst) yield return "";
            isFirst = false;
            foreach (var line in Wrap(paragraph.Replace('\n', ' '), Indent, columns)) yield return line;
        }
    }

    private static IEnumerable<string> Entry(string head, string text, int columns, int column = Column)
    {
        var start = new string(' ', Indent) + head;
        var lines = Wrap(text, column, columns).ToList();
        if (start.Length + 2 > column) yield return start;
        else if (lines.Count > 0)
        {
            yield return start.PadRight(column) + lines[0].TrimStart();
            lines.RemoveAt(0);
        }

        foreach (var line in lines) yield return line;
    }

    private static IEnumerable<string> Wrap(string text, int indent, int columns)
    {
        var line = new string(' ', indent);
        var isEmpty = true;
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!isEmpty && line.Length + 1 + word.Length > columns)
            {
                yield return line;
                line = new string(' ', indent);
                isEmpty = true;
            }

            line += isEmpty ? word : $" {word}";
            isEmpty = false;
        }

        if (!isEmpty) yield return line;
    }
}
