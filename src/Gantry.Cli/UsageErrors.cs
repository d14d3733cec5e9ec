using System.CommandLine;
using System.CommandLine.Parsing;
using Gantry.Cli.Commands;
using Gantry.Cli.Output;

namespace Gantry.Cli;

/// <summary>A command line that cannot be read: what is wrong, and where it says how it is right.</summary>
internal static class UsageErrors
{
    /// <summary>
    /// The parser takes an option that does not exist for an argument where one may stand. No argument of ours begins with a dash, but those of a container.
    /// </summary>
    public static bool HasUnknownOption(ParseResult parsed) => UnknownOption(parsed) is not null;

    public static int Show(ParseResult parsed, Screen screen)
    {
        screen.Note($"gantry: {Shown.Whole(Message(parsed))}");
        screen.Note($"Try '{PathOf(parsed.CommandResult)} --help'.");
        return (parsed.CommandResult.Command as DocumentedCommand)?.FailureCode ?? ExitCodes.Usage;
    }

    /// <summary>The parser's first word, which of a command that does not exist is that one is missing.</summary>
    private static string Message(ParseResult parsed)
    {
        if (parsed.CommandResult.Parent is null && parsed.UnmatchedTokens is [var word, ..] && !word.StartsWith('-')) return $"there is no command '{word}'";
        if (UnknownOption(parsed) is { } option) return $"there is no option '{option}'";
        var missing = parsed.CommandResult.Command.Arguments.FirstOrDefault(argument => argument.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(argument) is null or { Tokens.Count: 0 });
        return missing is not null ? $"{missing.Name} is missing"
            : parsed.UnmatchedTokens is [var extra, ..] ? $"'{extra}' is a word too many"
            : Message(parsed.Errors[0]);
    }

    /// <summary>The parser's own sentences name .NET's types.</summary>
    private static string Message(ParseError error) => error.SymbolResult switch
    {
        OptionResult { Tokens: [.., var word] } result when result.Option.HelpName is { } form => $"'{word.Value}' is not what {result.Option.Name} takes: {form}",
        OptionResult result when result.Option.HelpName is { } form => $"{result.Option.Name} needs a value: {form}",
        ArgumentResult { Tokens: [.., var word] } result => $"'{word.Value}' is not what {result.Argument.Name} takes: {result.Argument.Description}",
        _ => error.Message,
    };

    private static string? UnknownOption(ParseResult parsed) => parsed.CommandResult.Children.OfType<ArgumentResult>().Where(result => result.Argument.Name != "CMD")
        .SelectMany(result => result.Tokens).Select(token => token.Value).Concat(parsed.UnmatchedTokens).FirstOrDefault(word => word.Length > 1 && word[0] == '-');

    private static string PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : "gantry";
}
