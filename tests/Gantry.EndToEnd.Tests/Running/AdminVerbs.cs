namespace Gantry.EndToEnd.Tests.Running;

/// <summary>
/// `gantry-server admin` beside a running server, as an operator types it on the server's machine. run.sh knows `serve`
/// alone, so this is the program that run.sh has built, told the same data folder and settings.
/// </summary>
internal sealed class AdminVerbs(string dataFolder, string[] settings)
{
    private static readonly string Program = Path.Combine(SourceTree.Root, "src/Gantry.Server/bin/Release/net10.0/gantry-server.dll");
    private readonly Command server = new("dotnet", Program, "admin");

    /// <summary>Runs one verb and returns what it printed, e.g. the password that it made.</summary>
    public async Task<string> RunAsync(params string[] words) =>
        (await server.RunAsync([.. words, $"--Data:Root={dataFolder}", .. settings])).Output.Trim();
}
