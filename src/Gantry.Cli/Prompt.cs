using System.Runtime.InteropServices;
using System.Text;
using Gantry.Cli.Output;
using Gantry.Engine;

namespace Gantry.Cli;

/// <summary>Asks whoever sits at the terminal. A secret is not echoed, and the echo comes back however the question ends: by a line, by Ctrl-C, by a kill.</summary>
internal static partial class Prompt
{
    private const int MaxInput = 64 * 1024, StandardInput = 0, AfterFlush = 2;
    private const uint Echo = 8;

    public static async Task<string> AskAsync(Screen screen, string question, bool isSecret, CancellationToken ct)
    {
        if (Console.IsInputRedirected) throw new EngineException(EngineFault.Usage, "standard input is no terminal to ask at: use --username and --password-stdin");
        // Before the question is seen: what is typed right after it is not shown.
        var isQuiet = isSecret && SetEcho(false);
        screen.Draw(question);
        try
        {
            // Nothing interrupts a read of a terminal: it is left behind where whoever was asked has had enough.
            return await Task.Run(ReadLine, CancellationToken.None).WaitAsync(ct);
        }
        finally
        {
            if (isQuiet)
            {
                SetEcho(true);
                screen.Draw("\n");
            }
        }
    }

    /// <summary>All of standard input without the line's end.</summary>
    public static async Task<string> ReadInputAsync(CancellationToken ct)
    {
        var content = new byte[MaxInput];
        await using var input = Screen.OpenInput();
        var length = await input.ReadAtLeastAsync(content, content.Length, throwOnEndOfStream: false, ct);
        if (length == content.Length) throw new EngineException(EngineFault.TooLarge, "what comes from standard input is no password");
        return Encoding.UTF8.GetString(content, 0, length).TrimEnd('\r', '\n');
    }

    private static string ReadLine()
    {
        using var input = Screen.OpenInput();
        var line = new List<byte>();
        while (input.ReadByte() is var next and >= 0 && next != '\n' && line.Count < MaxInput) line.Add((byte)next);
        return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
    }

    /// <summary>False where it is no terminal, or was so before.</summary>
    private static unsafe bool SetEcho(bool isOn)
    {
        // struct termios is smaller than this everywhere; its fourth number is the local modes.
        var settings = stackalloc uint[64];
        if (GetSettings(StandardInput, settings) != 0 || (settings[3] & Echo) != 0 == isOn) return false;
        settings[3] ^= Echo;
        return SetSettings(StandardInput, AfterFlush, settings) == 0;
    }

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static unsafe partial int GetSettings(int descriptor, uint* settings);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static unsafe partial int SetSettings(int descriptor, int when, uint* settings);
}
