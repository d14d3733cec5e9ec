using Gantry.EndToEnd.Tests.Clients;
using Gantry.EndToEnd.Tests.Running;
using Gantry.TestKit;

namespace Gantry.EndToEnd.Tests.Engine;

/// <summary>The command with a store of its own and the lab's credentials.</summary>
internal sealed class GantryCommand(ClientHome home, string folder)
{
    public static string[] Program { get; } = GantryProgram.Words(Path.Combine(SourceTree.Root, "src/Gantry.Cli/bin/Release/net10.0"));

    public string Store { get; } = Path.Combine(folder, "store");

    private Command Command => new(Program[0], Program[1..]) { Environment = new(home.Environment) { ["GANTRY_ROOT"] = Store }, WorkingFolder = folder };

    public Task<CommandResult> RunAsync(params string[] words) => Command.RunAsync(words);

    public Task<CommandResult> TryAsync(params string[] words) => Command.TryAsync(words);

    public Daemon Start(string logFile, params string[] words) => Daemon.Start(Command, logFile, words);
}
