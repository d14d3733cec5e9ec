using System.Runtime.InteropServices;
using System.Text;
using Gantry.Cli.Output;
using Gantry.Engine;

namespace Gantry.Cli;

/// <summary>Asks whoever sits at the terminal. A secret is not echoed, and the echo comes back however the question ends.</summary>
internal static partial class Prompt
{
    private const int MaxInput = 64 * 1024, StandardInput = 0, AfterFlush = 2;
    private const uint Echo = 8;

    public static unsafe string Ask(Screen screen, string question, bool isSecret)
    {
        if (Console.IsInputRedirected) throw new EngineException(EngineFault.Usage, "standard input is no terminal to ask at: use --username and --password-stdin");
        screen.Draw(question);
        // struct termios is smaller than this everywhere; its fourth number is the local modes.
        var settings = stackalloc uint[64];
        var isQuiet = isSecret && GetSettings(StandardInput, settings) == 0;
        if (isQuiet)
        {
            settings[3] &= ~Echo;
            _ = SetSettings(StandardInput, AfterFlush, settings);
        }

        using var restored = isQuiet ? PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Restore()) : null;
        try
        {
            return ReadLine();
        }
        finally
        {
            if (isQuiet)
            {
                Restore();
                screen.Draw("\n");
            }
        }
    }

    /// <summary>All of standard input without the line's end.</summary>
    public static async Task<string> ReadInputAsync(CancellationToken ct)
    {
        var content = new byte[MaxInput];
        await using var input = Console.OpenStandardInput();
        var length = await input.ReadAtLeastAsync(content, content.Length, throwOnEndOfStream: false, ct);
        if (length == content.Length) throw new EngineException(EngineFault.TooLarge, "what comes from standard input is no password");
        return Encoding.UTF8.GetString(content, 0, length).TrimEnd('\r', '\n');
    }

    private static string ReadLine()
    {
        using var input = Console.OpenStandardInput();
        var line = new List<byte>();
        while (input.ReadByte() is var next and >= 0 && next != '\n' && line.Count < MaxInput) line.Add((byte)next);
        return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
    }

    private static unsafe void Restore()
    {
        var settings = stackalloc uint[64];
        if (GetSettings(StandardInput, settings) != 0) return;
        settings[3] |= Echo;
        _ = SetSettings(StandardInput, AfterFlush, settings);
    }

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static unsafe partial int GetSettings(int descriptor, uint* settings);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static unsafe partial int SetSettings(int descriptor, int when, uint* settings);
}
