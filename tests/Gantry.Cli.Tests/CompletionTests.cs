using System.CommandLine;
using Gantry.Cli.Commands;
using Gantry.Cli.Completion;
using Gantry.Cli.Output;
using Gantry.Cli.Tests.Kit;

namespace Gantry.Cli.Tests;

/// <summary>The scripts for shells. Each shell completes for real.</summary>
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
    public void ZshAndFish_HaveEveryCommandAndOption()
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
    }

    /// <summary>Needs fish.</summary>
    [Theory]
    [Trait("Speed", "Slow")]
    [InlineData("gantry pu", "pull push")]
    [InlineData("gantry pull --para", "--parallel")]
    [InlineData("gantry run --network ", "host none")]
    [InlineData("gantry completion ", "bash fish zsh")]
    [InlineData("gantry rmi debian:", "debian:12 debian:13")]
    [InlineData("gantry --plat", "--platform")]
    public async Task Fish_AtTheEndOfALine_OffersWhatFits(string line, string offered)
    {
        var script = Path.Combine(_folder.FullName, "gantry.fish");
        await File.WriteAllTextAsync(script, FishScript.Of(Words));
        await GantryRuns.ToolAsync("fish", "-n", script);
        var output = await GantryRuns.ToolAsync("env", $"HOME={_folder.FullName}", "fish", "--no-config", "-c",
            $"function gantry; printf '%s\\n' debian:12 debian:13; end; source {script}; complete -C '{line}'");
        Assert.Equal(offered, string.Join(' ', output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(each => each.Split('\t')[0]).Order(StringComparer.Ordinal)));
    }

    /// <summary>
    /// Needs zsh. Its completion runs inside its line editor alone: so one is run on a terminal of zsh's own (zpty), and asked with a tab and then for its line.
    /// </summary>
    [Theory]
    [Trait("Speed", "Slow")]
    [InlineData("gantry pul", "gantry pull ")]
    [InlineData("gantry pull --para", "gantry pull --parallel ")]
    [InlineData("gantry run --network ho", "gantry run --network host ")]
    [InlineData("gantry completion fi", "gantry completion fish ")]
    [InlineData("gantry rmi loc", "gantry rmi localhost:5000/app:1 ")]
    [InlineData("gantry --root /tmp imag", "gantry --root /tmp images ")]
    public async Task Zsh_AfterATab_HasCompletedTheLine(string line, string completed)
    {
        var script = Path.Combine(_folder.FullName, "_gantry");
        await File.WriteAllTextAsync(script, ZshScript.Of(Words));
        await GantryRuns.ToolAsync("zsh", "-n", script);
        var setup = Path.Combine(_folder.FullName, "setup.zsh");
        await File.WriteAllTextAsync(setup, $$"""
            PS1='' ; unsetopt beep zle_bracketed_paste 2>/dev/null
            fpath=({{_folder.FullName}} $fpath)
            autoload -Uz compinit && compinit -u -d {{_folder.FullName}}/dump
            gantry() { print -l debian:12 debian:13 localhost:5000/app:1 }
            show() { print -r -- "<<$BUFFER>>"; exit }
            zle -N show && bindkey '^X' show
            print ready
            """);
        var driver = $$"""
            zmodload zsh/zpty
            zpty z env TERM=dumb zsh -f -i
            zpty -w z "source {{setup}}"
            zpty -r z out '*ready*'
            zpty -w -n z {{'"'}}{{line}}{{'"'}}$'\t\x18'
            zpty -r z out '*>>*'
            print -r -- "$out"
            """;
        var output = await GantryRuns.ToolAsync("timeout", "60", "zsh", "-fc", driver);
        Assert.Contains($"<<{completed}>>", output, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
