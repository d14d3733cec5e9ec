using System.CommandLine;
using System.CommandLine.Parsing;
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
        return ExitCodes.Usage;
    }

    /// <summary>The parser's first word, which of a command that does not exist is that one is missing.</summary>
    private static string Message(ParseResult parsed)
    {
        if (parsed.CommandResult.Parent is null && parsed.UnmatchedTokens is [var word, ..] && !word.StartsWith('-')) return $"there is no command '{word}'";
        if (UnknownOption(parsed) is { } option) return $"there is no option '{option}'";
        var missing = parsed.CommandResult.Command.Arguments.FirstOrDefault(argument => argument.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(argument) is null or { Tokens.Count: 0 });
        return missing is null ? parsed.Errors[0].Message : $"{missing.Name} is missing";
    }

    private static string? UnknownOption(ParseResult parsed) => parsed.CommandResult.Children.OfType<ArgumentResult>().Where(result => result.Argument.Name != "CMD")
        .SelectMany(result => result.Tokens).Select(token => token.Value).Concat(parsed.UnmatchedTokens).FirstOrDefault(word => word.Length > 1 && word[0] == '-');

    private static string PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : "gantry";
}
