using Gantry.TestKit;

namespace Gantry.Server.Tests.Admin;

/// <summary><c>gantry-server VERB</c> as a process of its own, beside a server that runs on the same database and folder.</summary>
internal sealed class ServerVerbs(RegistryServer server, params string[] settings)
{
    /// <summary>What it wrote, after it succeeded.</summary>
    public async Task<string> DoAsync(params string[] arguments) => (await EndAsync(0, arguments)).Output;

    /// <summary>What it wrote, errors too, after it ended with that exit code.</summary>
    public async Task<string> FailAsync(int expected, params string[] arguments)
    {
        var (output, errors) = await EndAsync(expected, arguments);
        return output + errors;
    }

    public async Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        await using var verb = ServerProcess.Launch(server.DataRoot,
            [.. arguments, $"--ConnectionStrings:Registry={server.ConnectionString}", $"--Data:Root={server.DataRoot}", .. settings.Select(setting => $"--{setting}")]);
        var code = await verb.WaitForExitAsync();
        return (code, verb.Output.ReplaceLineEndings("\n"), verb.Errors);
    }

    private async Task<(string Output, string Errors)> EndAsync(int expected, string[] arguments)
    {
        var (code, output, errors) = await RunAsync(arguments);
        Assert.True(code == expected, $"{string.Join(' ', arguments)}: exit code {code}: {output}{errors}");
        return (output.TrimEnd(), errors);
    }
}
