using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Cli.Output;

/// <summary>
/// The two streams that people and programs read. Results go to the first, everything said on the way to the second.
/// </summary>
/// <param name="size">Columns and rows of whatever shows it; null: of this process's terminal.</param>
internal sealed partial class Screen(Stream results, Stream notes, bool areResultsShown, bool areNotesShown, Func<(int Columns, int Rows)>? size = null)
{
    private const int BrokenPipe = 32;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly Lock _gate = new();

    public static Screen System { get; } = new(
        new DescriptorStream(1), new DescriptorStream(2), !Console.IsOutputRedirected, !Console.IsErrorRedirected);

    /// <summary>Without .NET's console, which would edit lines by itself, and echo them.</summary>
    public static FileStream OpenInput() => new(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);

    /// <summary>For what is no text: an archive.</summary>
    public Stream Results => results;

    public bool AreResultsOnTerminal => areResultsShown;

    public bool AreNotesOnTerminal => areNotesShown && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    /// <summary>Columns of the terminal as it is now, rows beside it. 80 by 24 where nobody knows.</summary>
    public (int Columns, int Rows) Size() => size?.Invoke() ?? OfTerminal();

    private static (int Columns, int Rows) OfTerminal()
    {
        Span<ushort> size = stackalloc ushort[4];
        for (var descriptor = 2; descriptor >= 0; descriptor--)
        {
            if (GetWindowSize(descriptor, WindowSizeRequest, size) == 0 && size[1] > 0) return (size[1], Math.Max((ushort)2, size[0]));
        }

        return (80, 24);
    }

    /// <summary>Why results could not be written: a full disk, as a rule. Null: they were.</summary>
    public string? Failure { get; private set; }

    public static bool IsClosedPipe(Exception fault) => fault is IOException { HResult: BrokenPipe } || (fault.InnerException is { } inner && IsClosedPipe(inner));

    public void Result(string line) => Write(results, line + "\n");

    public void Note(string line) => Write(notes, line + "\n");

    /// <summary>As it is, in one write.</summary>
    public void Draw(string text) => Write(notes, text);

    private void Write(Stream stream, string text)
    {
        lock (_gate)
        {
            try
            {
                stream.Write(Utf8.GetBytes(text));
                stream.Flush();
            }
            catch (IOException fault) when (IsClosedPipe(fault))
            {
                // Whoever read it is gone, as head is after its last line: the work goes on, and its exit code is still worth something.
            }
            catch (IOException fault) when (stream == results)
            {
                // Said at the end: a list that is cut off must not look like a whole one.
                Failure ??= fault.Message;
            }
            catch (IOException)
            {
                // There is no third place to complain at.
            }
        }
    }

    private const nuint WindowSizeRequest = 0x5413;

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int GetWindowSize(int descriptor, nuint request, Span<ushort> size);
}
