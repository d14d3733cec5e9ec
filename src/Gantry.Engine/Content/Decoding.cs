using Gantry.Layers;

namespace Gantry.Engine.Content;

/// <summary>A layer's decoder, with what the machine lacks for it told as the machine's fault.</summary>
internal static class Decoding
{
    /// <param name="found">What the bytes are; null where there are none.</param>
    /// <exception cref="EngineException">Local: it needs libzstd, which is not installed.</exception>
    public static Stream Open(Stream stored, WindowFiles windows, out LayerCompression? found)
    {
        try
        {
            return LayerDecoder.Open(stored, windows, out found);
        }
        catch (DllNotFoundException missing)
        {
            throw new EngineException(EngineFault.Local, missing.Message, missing);
        }
    }
}
