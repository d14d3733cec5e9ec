using System.CommandLine;

namespace Gantry.Cli.Completion;

/// <summary>What may stand in one place of a command line.</summary>
internal enum WordKind
{
    /// <summary>Nothing to be completed.</summary>
    Other,

    File,

    LocalImage,

    /// <summary>One of <see cref="OptionWord.Values"/>.</summary>
    Listed,
}

/// <param name="Names">Each with its dashes, the long one first.</param>
/// <param name="Value">What its value is; null: it has none.</param>
internal sealed record OptionWord(IReadOnlyList<string> Names, string Description, WordKind? Value, IReadOnlyList<string> Values);

/// <param name="Argument">What its arguments are.</param>
internal sealed record CommandWord(string Name, string Description, IReadOnlyList<OptionWord> Options, WordKind Argument, IReadOnlyList<string> Values);

/// <summary>The commands and their options as the scripts for shells need them. Made of the tree that is parsed with, so nothing is told twice.</summary>
internal sealed record CommandWords(IReadOnlyList<CommandWord> Commands, IReadOnlyList<OptionWord> Globals)
{
    public static CommandWords Of(RootCommand root) => new(
        [.. root.Subcommands.Where(command => !command.Hidden).Select(OfCommand)],
        [.. root.Options.Where(option => option.Recursive).Select(OfOption)]);

    private static CommandWord OfCommand(Command command)
    {
        var argument = command.Arguments.Count == 0 ? WordKind.Other : command.Arguments.Any(each => each.Name == "REF" && command.Name != "push") ? WordKind.LocalImage
            : command.Arguments.Any(each => each.Name is "FILE" or "LAYOUT" or "DIR") ? WordKind.File
            : command.Name == "completion" ? WordKind.Listed : WordKind.Other;
        return new CommandWord(command.Name, command.Description ?? "", [.. command.Options.Where(option => !option.Hidden).Select(OfOption)], argument,
            argument == WordKind.Listed ? ["bash", "zsh", "fish"] : []);
    }

    private static OptionWord OfOption(Option option)
    {
        string[] names = [option.Name, .. option.Aliases.Where(alias => alias.StartsWith('-') && alias is not "-?" && alias != option.Name)];
        string[] values = option.HelpName switch
        {
            "none|host" => ["none", "host"],
            "missing|always|never" => ["missing", "always", "never"],
            "safe|all|none" => ["safe", "all", "none"],
            "FORMAT" => ["oci-archive", "docker-archive", "oci-dir"],
            _ => [],
        };
        WordKind? value = option.HelpName switch
        {
            null => null,
            _ when values.Length > 0 => WordKind.Listed,
            "FILE" or "DIR" or "PROGRAM" or "SOURCE:TARGET[:ro]" => WordKind.File,
            _ => WordKind.Other,
        };
        return new OptionWord(names, option.Description ?? "", value, values);
    }
}
