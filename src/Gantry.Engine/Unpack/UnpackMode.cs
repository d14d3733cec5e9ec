namespace Gantry.Engine.Unpack;

public enum UnpackMode
{
    /// <summary>One directory of an overlay: only what the layer itself has, with overlayfs's own marks for what it removes.</summary>
    Layer,

    /// <summary>Onto the root filesystem that the layers below left in the same directory.</summary>
    Flat,
}
