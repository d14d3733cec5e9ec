using System.Diagnostics;

namespace Gantry.EndToEnd.Tests.Running;

/// <summary>What a finished program said. <see cref="Text"/> holds both streams, for messages and searches.</summary>
internal sealed record CommandResult(string Line, int ExitCode, string Output, string Error)
{
    public string Text => Output + Error;

    public CommandResult Succeeded() => ExitCode == 0 ? this : throw new CommandFailedException(this);
}

internal sealed class CommandFailedException(CommandResult result)
    : Exception($"{result.Line}\nended with exit code {result.ExitCode}:\n{result.Text}");

/// <summary>A program with its fixed leading arguments and environment, run again and again.</summary>
internal sealed class Command(string program, params string[] leading)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    public Dictionary<string, string> Environment { get; init; } = [];

    public string WorkingFolder { get; init; } = "/";

    /// <summary>Runs to the end and throws, with everything the program printed, when it fails.</summary>
    public async Task<CommandResult> RunAsync(params string[] arguments) => (await TryAsync(arguments)).Succeeded();

    public Task<CommandResult> TryAsync(params string[] arguments) => TryWithInputAsync("", arguments);

    /// <summary>Runs to the end whatever the exit code; a program that takes longer than four minutes is ended.</summary>
    public async Task<CommandResult> TryWithInputAsync(string input, params string[] arguments)
    {
        using var process = Start(arguments);
        using var limit = new CancellationTokenSource(Limit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            await process.WaitForExitAsync(limit.Token);
            return new CommandResult(Line(arguments), process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException fault)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{Line(arguments)}\nhad not ended after {Limit}", fault);
        }
    }

    public Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(program, [.. leading, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = WorkingFolder,
        };
        foreach (var (name, value) in Environment) start.Environment[name] = value;
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception fault)
        {
            throw new InvalidOperationException($"{program} is missing: ./test.sh installs it ({fault.Message})", fault);
        }
    }

    private string Line(string[] arguments) => string.Join(' ', [program, .. leading, .. arguments]);
}
