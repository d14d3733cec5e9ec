using System.Diagnostics;
using Gantry.Core.Data;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gantry.Core.Tests.Data;

/// <summary>Another process that runs a <see cref="LocalPostgres"/>, as gantry-server does: to be killed, or to be another user.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    internal const string Verb = "--local-postgres";
    private readonly Process process;

    private ServerProcess(Process process, string[] answer)
    {
        this.process = process;
        Refusal = answer[0] == "refused" ? answer[1] : null;
        PostgresId = answer[0] == "ready" ? int.Parse(answer[1]) : 0;
        ConnectionString = answer[0] == "ready" ? answer[2] : "";
    }

    internal int Id => process.Id;

    internal string? Refusal { get; }

    internal int PostgresId { get; }

    internal string ConnectionString { get; }

    /// <summary>The other side: says how it went in one line and stops when its input ends.</summary>
    internal static async Task<int> RunAsync(string dataRoot)
    {
        try
        {
            await using var postgres = await LocalPostgres.StartAsync(
                new LocalPostgresOptions { DataRoot = dataRoot, Durable = false }, NullLogger.Instance, TimeProvider.System, CancellationToken.None);
            Console.WriteLine($"ready\t{postgres.ProcessId}\t{postgres.ConnectionString}");
            while (await Console.In.ReadLineAsync() is not null)
            {
            }

            return 0;
        }
        catch (LocalPostgresException e)
        {
            Console.WriteLine($"refused\t{e.Message}");
            return 1;
        }
    }

    internal static async Task<ServerProcess> StartAsync(string dataRoot, string[]? prefix = null, string? programFolder = null)
    {
        var server = Launch(dataRoot, prefix, programFolder);
        var answer = await server.StandardOutput.ReadLineAsync() ?? "refused\tno answer: " + await server.StandardError.ReadToEndAsync();
        return new ServerProcess(server, answer.Split('\t'));
    }

    internal static Process Launch(string dataRoot, string[]? prefix = null, string? programFolder = null)
    {
        string[] command = [.. prefix ?? [], Path.Combine(programFolder ?? AppContext.BaseDirectory, "Gantry.Core.Tests"), Verb, dataRoot];
        return Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            Environment = { ["GANTRY_TEST_SECRET"] = "not for PostgreSQL" },
        })!;
    }

    internal async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
