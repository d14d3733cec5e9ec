using System.Runtime.InteropServices;
using Gantry.Layers;

namespace Gantry.Engine.Posix;

/// <summary>
/// Error numbers as the exceptions of the house. What only the names in a layer can cause is the layer's fault; no room, no permission and everything else is
/// this machine's.
/// </summary>
internal static class PosixFault
{
    /// <summary>Passes a result on, or throws for the negative ones.</summary>
    public static int Check(int result, string call, ReadOnlySpan<byte> name) => result >= 0 ? result : throw Of(-result, call, name);

    /// <inheritdoc cref="Check(int, string, ReadOnlySpan{byte})"/>
    public static long Check(long result, string call, ReadOnlySpan<byte> name) => result >= 0 ? result : throw Of((int)-result, call, name);

    public static Exception Of(int error, string call, ReadOnlySpan<byte> name)
    {
        var text = $"{call} {Printable.Of(name)}: {Marshal.GetPInvokeErrorMessage(error)}";
        return error switch
        {
            Errno.NameTooLong => new LayerException(LayerFault.Path, text),
            Errno.Loop => new LayerException(LayerFault.Link, text),
            Errno.TooManyLinks => new LayerException(LayerFault.TooLarge, text),
            _ => new EngineException(EngineFault.Local, text, new IOException(text, error)),
        };
    }
}
