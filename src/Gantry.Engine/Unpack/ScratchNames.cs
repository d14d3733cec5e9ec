using System.Text;

namespace Gantry.Engine.Unpack;

/// <summary>
/// Names for what lives only while we work. They begin as whiteouts do, and no whiteout is ever written under its own name: no layer can have a file of
/// such a name.
/// </summary>
internal static class ScratchNames
{
    public static ReadOnlySpan<byte> Prefix => ".wh..gantry-"u8;

    public static byte[] Random() => Encoding.ASCII.GetBytes($".wh..gantry-{Guid.NewGuid():N}");

    public static byte[] Numbered(int number) => Encoding.ASCII.GetBytes($".wh..gantry-{number}");
}
