using Gantry.Engine.Unpack;
using Gantry.TestKit.Tar;

namespace Gantry.Engine.Tests.Unpack;

/// <summary>One layer at a time remembers much.</summary>
public sealed class LargeLayersTests : IDisposable
{
    private readonly UnpackSandbox _sandbox = new();
    private readonly LargeLayers _others = new();

    public void Dispose()
    {
        _sandbox.Dispose();
        _others.Dispose();
    }

    [Fact]
    [Trait("Pull", "C68")]
    public void Layer_ThatRemembersMuch_WaitsForItsTurn()
    {
        _others.Enter(default);
        Apply(new TarBytes().Directory("d").End(), default);

        // More than its share only once all entries are read: then nothing but the turn is left to wait for.
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => Apply(Many(), stop.Token, stop));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_sandbox.LastTree));

        // A turn is taken, and given back.
        _others.Leave();
        Assert.Equal(4_501, Apply(Many(), default).ImpliedDirectories.Count);
        _others.Enter(default);
    }

    private static TarBytes Many()
    {
        var (layer, parent) = (new TarBytes().Directory("./"), new string('p', 250));
        for (var index = 0; index < 4_500; index++) layer.Pax(("path", $"{parent}/{index}/f")).File("x");
        return layer.End();
    }

    private LayerNotes Apply(TarBytes layer, CancellationToken cancellation, CancellationTokenSource? atTheEnd = null)
    {
        using var unpacker = new LayerUnpacker(_sandbox.NewTree("layer"), UnpackMode.Layer, new() { LargeLayers = _others });
        return unpacker.Apply(new CancellingStream(layer.ToArray(), atTheEnd), cancellation);
    }

    /// <summary>Cancels when its end is read.</summary>
    private sealed class CancellingStream(byte[] content, CancellationTokenSource? stop) : MemoryStream(content)
    {
        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = base.Read(buffer, offset, count);
            if (read == 0) stop?.Cancel();
            return read;
        }
    }
}
