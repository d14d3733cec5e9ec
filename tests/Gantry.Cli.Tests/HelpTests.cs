using System.CommandLine;
using Gantry.Cli.Commands;
using Gantry.Cli.Help;
using Gantry.Cli.Output;
using Gantry.Cli.Running;

namespace Gantry.Cli.Tests;

/// <summary>The pages of help: each command has one, each word on it is explained, and what they show can be typed.</summary>
public sealed class HelpTests
{
    private static readonly Command Tree = CommandTree.Create(Screen.System);

    public static TheoryData<string> Commands => [.. Tree.Subcommands.Select(command => command.Name)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Page_OfACommand_ExplainsEveryWord(string name)
    {
        var command = Tree.Subcommands.Single(each => each.Name == name);
        var page = string.Join('\n', HelpPage.Lines(command, Tree, 100));
        foreach (var part in (string[])["NAME", "SYNOPSIS", "DESCRIPTION", "GLOBAL OPTIONS", "EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"]) Assert.Contains($"{part}\n", page, StringComparison.Ordinal);
        foreach (var option in command.Options.Where(option => !option.Recursive))
        {
            Assert.Contains(option.Name, page, StringComparison.Ordinal);
            Assert.True(option.Description is { Length: > 10 }, $"{name} {option.Name} has no description");
            Assert.True(option.ValueType == typeof(bool) || option.ValueType == typeof(bool?) || option.HelpName is not null, $"{name} {option.Name} does not say what it takes");
        }

        Assert.All(command.Arguments, argument => Assert.True(argument.Description is { Length: > 4 }, $"{name} {argument.Name} has no description"));
        Assert.True(Assert.IsType<DocumentedCommand>(command).Examples.Count > 0);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Examples_OfACommand_AreWellFormed(string name)
    {
        var command = (DocumentedCommand)Tree.Subcommands.Single(each => each.Name == name);
        foreach (var (line, _) in command.Examples)
        {
            // The part that is gantry's, of what may be a pipe.
            var start = line.IndexOf("gantry ", StringComparison.Ordinal);
            var typed = line[start..].Split([" | ", " && ", " >", " <", ")"], StringSplitOptions.None)[0];
            var words = typed.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..];
            var isPipedTo = line.Contains("xargs", StringComparison.Ordinal) && words[0] is "rmi" or "pull";
            if (isPipedTo) words = [.. words, "name"];
            Assert.True(Tree.Parse(ContainerCommandLine.Separate(words, Tree)).Errors.Count == 0, $"'{typed}' cannot be parsed");
        }
    }

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    public void Page_OnANarrowTerminal_KeepsWithinIt(int columns) => Assert.All(Tree.Subcommands, command =>
        Assert.All(HelpPage.Lines(command, Tree, columns), line => Assert.True(line.Length <= columns || line.TrimStart()[0] is '$' || !line.TrimStart().Contains(' '), line)));

    [Fact]
    public void Page_OfGantryItself_HasCommandsAndExitCodes()
    {
        var page = string.Join('\n', HelpPage.Lines(Tree, Tree, 100));
        Assert.All(Tree.Subcommands, command => Assert.Contains($"\n    {command.Name} ", page, StringComparison.Ordinal));
        foreach (var part in (string[])["EXIT STATUS", "ENVIRONMENT", "FILES"]) Assert.Contains(part, page, StringComparison.Ordinal);
        Assert.All(Enum.GetValues<Gantry.Engine.EngineFault>(), fault =>
            Assert.Contains($"\n    {ExitCodes.Of(new Gantry.Engine.EngineException(fault, ""))} ", page, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("run debian ls -e", "run debian -- ls -e")]
    [InlineData("run -it --rm debian sh -c x", "run -it --rm debian -- sh -c x")]
    [InlineData("run -e A=1 -v /a:/b debian env", "run -e A=1 -v /a:/b debian -- env")]
    [InlineData("--root /x run --name n debian -q", "--root /x run --name n debian -- -q")]
    [InlineData("run --name=n debian --help", "run --name=n debian -- --help")]
    [InlineData("run debian -- ls", "run debian -- ls")]
    [InlineData("pull -q debian", "pull -q debian")]
    public void Separate_CommandOfAContainer_IsLeftAlone(string typed, string expected) =>
        Assert.Equal(expected, string.Join(' ', ContainerCommandLine.Separate(typed.Split(' '), Tree)));
}
