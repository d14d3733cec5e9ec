using Gantry.Cli.Output;
using Gantry.Engine;

namespace Gantry.Cli;

/// <summary>Where an archive goes: standard output, if that is no terminal, or a file that appears under its name only when it is whole.</summary>
internal static class OutputFile
{
    public static async Task WriteAsync(Screen screen, string? path, Func<Stream, Task> write)
    {
        if (path is null or "-")
        {
            if (screen.AreResultsOnTerminal) throw new EngineException(EngineFault.Usage, "an archive is not written to a terminal: use -o FILE or a pipe");
            await write(screen.Results);
            await screen.Results.FlushAsync();
            return;
        }

        var target = Path.GetFullPath(path);
        var staged = $"{target}.{Environment.ProcessId}.part";
        try
        {
            await using (var file = new FileStream(staged, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0)) await write(file);
            File.Move(staged, target, overwrite: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            File.Delete(staged);
            throw new EngineException(EngineFault.Local, $"{Shown.Text(target)} cannot be written: {fault.Message}", fault);
        }
        catch
        {
            File.Delete(staged);
            throw;
        }
    }
}
