using System.Runtime.InteropServices;
using Gantry.Cli.Output;
using Gantry.Engine;

namespace Gantry.Cli;

/// <summary>
/// Where an archive goes: standard output, if that is no terminal, or a file that appears under its name only when it is whole. A link stays one, and what is
/// no file (<c>/dev/null</c>, a pipe) is written to as it is.
/// </summary>
internal static partial class OutputFile
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

        var target = TargetOf(Path.GetFullPath(path));
        if (Directory.Exists(target)) throw new EngineException(EngineFault.Usage, $"{Shown.Text(target)} is a folder");
        if (File.Exists(target) && !IsRegularFile(target))
        {
            await WriteToAsync(target, FileMode.Open, write);
            return;
        }

        var staged = $"{target}.{Environment.ProcessId}.part";
        try
        {
            await WriteToAsync(staged, FileMode.CreateNew, write);
            File.Move(staged, target, overwrite: true);
        }
        catch (Exception fault)
        {
            if (File.Exists(staged)) File.Delete(staged);
            if (fault is IOException or UnauthorizedAccessException)
                throw new EngineException(EngineFault.Local, $"{Shown.Text(target)} cannot be written: {fault.Message}", fault);
            throw;
        }
    }

    private static async Task WriteToAsync(string path, FileMode mode, Func<Stream, Task> write)
    {
        await using var file = new FileStream(path, mode, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        await write(file);
    }

    private static string TargetOf(string path) => new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;

    /// <summary>.NET does not tell a device from a file. Of struct statx, the same on every machine, the mode is two bytes at 28.</summary>
    private static unsafe bool IsRegularFile(string path)
    {
        const int currentFolder = -100, typeOnly = 1, sizeOfStatus = 256, modeAt = 28, typeMask = 0xF000, regular = 0x8000;
        var status = stackalloc byte[sizeOfStatus];
        return Status(currentFolder, path, 0, typeOnly, status) == 0 && (*(ushort*)(status + modeAt) & typeMask) == regular;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Status(int folder, string path, int flags, uint mask, byte* status);
}
