using System.CommandLine;
using Gantry.Cli.Commands;
using Gantry.Cli.Completion;
using Gantry.Cli.Output;
using Gantry.Cli.Tests.Kit;

namespace Gantry.Cli.Tests;

/// <summary>The scripts for shells. bash completes for real; zsh and fish parse theirs where they are installed, and are only looked at otherwise.</summary>
public sealed class CompletionTests : IDisposable
{
    private static readonly RootCommand Tree = CommandTree.Create(Screen.System);
    private static readonly CommandWords Words = CommandWords.Of(Tree);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-completion-");

    [Theory]
    [InlineData("gantry pu", "pull push")]
    [InlineData("gantry --root /x im", "images")]
    [InlineData("gantry pull --para", "--parallel")]
    [InlineData("gantry run --network ", "none host")]
    [InlineData("gantry completion ", "bash zsh fish")]
    [InlineData("gantry rmi de", "debian:12 debian:13")]
    [InlineData("gantry rmi localhost:5000/a", "5000/app:1")]
    [InlineData("gantry run --rm -u app de", "debian:12 debian:13")]
    [InlineData("gantry --plat", "--platform")]
    public async Task Bash_AtTheEndOfALine_OffersWhatFits(string line, string offered)
    {
        var script = Path.Combine(_folder.FullName, "gantry.bash");
        await File.WriteAllTextAsync(script, BashScript.Of(Words));
        await GantryRuns.ToolAsync("bash", "-n", script);
        var program = $$"""
            gantry() { printf '%s\n' debian:12 debian:13 localhost:5000/app:1; }
            source {{script}}
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}}
            read -ra COMP_WORDS <<<"$COMP_LINE"
            [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _gantry
            echo "${COMPREPLY[*]}"
            """;
        Assert.Equal(offered, (await GantryRuns.ToolAsync("bash", "-c", program)).Trim());
    }

    [Fact]
    public async Task ZshAndFish_HaveEveryCommandAndOption()
    {
        var (zsh, fish) = (ZshScript.Of(Words), FishScript.Of(Words));
        foreach (var command in Words.Commands)
        {
            Assert.Contains($"        {command.Name}) _arguments", zsh, StringComparison.Ordinal);
            Assert.Contains($"-a {command.Name} ", fish, StringComparison.Ordinal);
            foreach (var option in command.Options)
            {
                Assert.Contains($"*{option.Names[0]}[", zsh, StringComparison.Ordinal);
                Assert.Contains($"-l {option.Names[0][2..]}", fish, StringComparison.Ordinal);
            }
        }

        // Neither shell is among what the tests install.
        foreach (var (shell, script) in ((string, string)[])[("zsh", zsh), ("fish", fish)])
        {
            if (!((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, shell))))) continue;
            var path = Path.Combine(_folder.FullName, shell);
            await File.WriteAllTextAsync(path, script);
            await GantryRuns.ToolAsync(shell, "-n", path);
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
