namespace Gantry.Cli.Help;

/// <summary>Other ways to ask for a page: <c>gantry</c> alone, and <c>gantry help pull</c> as git and docker have it.</summary>
internal static class HelpWords
{
    private const string Option = "--help";

    public static string[] Of(string[] words) => words switch
    {
        [] or ["help"] => [Option],
        ["help", var command, ..] => [command, Option],
        _ => words,
    };
}
