namespace Gantry.Engine.Posix;

/// <summary>An open file that ends with its <c>using</c>. A plain number without a finaliser: thousands are opened in a layer, each by one owner.</summary>
internal readonly record struct Descriptor(int Number) : IDisposable
{
    public static readonly Descriptor None = new(-1);

    public bool IsOpen => Number >= 0;

    public void Dispose()
    {
        if (IsOpen) Kernel.Close(Number);
    }
}
