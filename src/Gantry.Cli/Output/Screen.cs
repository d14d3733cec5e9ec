using System.Runtime.InteropServices;
using System.Text;

namespace Gantry.Cli.Output;

/// <summary>
/// The two streams that people and programs read. Results go to the first, everything said on the way to the second. Without .NET's console, which sends a terminal
/// sequences of its own.
/// </summary>
internal sealed partial class Screen(Stream results, Stream notes, bool areResultsShown, bool areNotesShown)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly Lock _gate = new();

    public static Screen System { get; } = new(
        Console.OpenStandardOutput(), Console.OpenStandardError(), !Console.IsOutputRedirected, !Console.IsErrorRedirected);

    /// <summary>For what is no text: an archive.</summary>
    public Stream Results => results;

    public bool AreResultsOnTerminal => areResultsShown;

    public bool AreNotesOnTerminal => areNotesShown && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    /// <summary>Columns of the terminal as it is now, rows beside it. 80 by 24 where nobody knows.</summary>
    public static (int Columns, int Rows) Size()
    {
        Span<ushort> size = stackalloc ushort[4];
        for (var descriptor = 2; descriptor >= 0; descriptor--)
        {
            if (GetWindowSize(descriptor, WindowSizeRequest, size) == 0 && size[1] > 0) return (size[1], Math.Max((ushort)2, size[0]));
        }

        return (80, 24);
    }

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
            catch (IOException)
            {
                // Whoever read it is gone, as head is after its last line: the work goes on, and its exit code is still worth something.
            }
        }
    }

    private const nuint WindowSizeRequest = 0x5413;

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int GetWindowSize(int descriptor, nuint request, Span<ushort> size);
}
