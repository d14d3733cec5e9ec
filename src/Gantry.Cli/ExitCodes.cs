using Gantry.Engine;
using Gantry.Layers;

namespace Gantry.Cli;

/// <summary>What the command's exit code says, so that scripts need not read sentences. The help shows this table.</summary>
internal static class ExitCodes
{
    public const int Success = 0, Unexpected = 1, Usage = 2, Layer = 12;

    /// <summary>As shells count a death by SIGPIPE.</summary>
    public const int ClosedPipe = 141;

    /// <summary>Of <c>run</c>, as docker has them: gantry itself failed, the command cannot be started, there is no such command.</summary>
    public const int RunFailed = 125, NotExecutable = 126, NoSuchCommand = 127;

    public static readonly IReadOnlyList<(string Code, string Meaning)> Table =
    [
        ("0", "Success."),
        ("1", "Something that should not happen: a bug in gantry."),
        ("2", "The command line, a name or a configuration file is not well formed."),
        ("3", "There is no such image, tag, file or platform."),
        ("4", "The registry wants other credentials."),
        ("5", "The network or the registry is away, or does not speak the protocol."),
        ("6", "What came is not what was announced: digest, size, diffID."),
        ("7", "A manifest, index, config or archive cannot be read."),
        ("8", "Well formed, but nothing that gantry handles."),
        ("9", "Refused: a registry or an image tried what it must not."),
        ("10", "More than the limits allow."),
        ("11", "This machine: no space, no permission, a call that failed."),
        ("12", "A layer cannot be unpacked."),
        ("125-127", "gantry run: as docker run. Otherwise the container's own exit code."),
        ("128+N", "Ended by signal N, as shells count: 130 after Ctrl-C, 141 where nobody reads an archive any more."),
    ];

    public static int Of(Exception fault) => fault switch
    {
        EngineException engine => Of(engine.Fault),
        LayerException => Layer,
        IOException or UnauthorizedAccessException => Of(EngineFault.Local),
        OperationCanceledException => StopSignals.ExitCode,
        _ => Unexpected,
    };

    private static int Of(EngineFault fault) => fault switch
    {
        EngineFault.Usage => Usage,
        EngineFault.NotFound => 3,
        EngineFault.Denied => 4,
        EngineFault.Network => 5,
        EngineFault.Mismatch => 6,
        EngineFault.InvalidDocument => 7,
        EngineFault.Unsupported => 8,
        EngineFault.Refused => 9,
        EngineFault.TooLarge => 10,
        EngineFault.Local => 11,
        _ => Unexpected,
    };
}
