namespace Gantry.Engine.Unpack;

/// <summary>
/// Lets one layer at a time remember much. Layers that are unpacked side by side have <see cref="FreeBytes"/> each, which is enough for ten thousand directories; who
/// wants more waits for his turn, and whoever has it waits for nobody.
/// </summary>
internal sealed class LargeLayers : IDisposable
{
    public const long FreeBytes = 2 << 20;

    private readonly SemaphoreSlim _turn = new(1);

    public void Enter(CancellationToken cancellation) => _turn.Wait(cancellation);

    public void Leave() => _turn.Release();

    public void Dispose() => _turn.Dispose();
}
