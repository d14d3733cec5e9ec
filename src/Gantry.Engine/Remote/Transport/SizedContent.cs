using System.Buffers;
using System.Net;

namespace Gantry.Engine.Remote.Transport;

/// <summary>A request's body out of a stream, with its length known: exactly so many bytes, through one pooled buffer of 128 KiB.</summary>
internal sealed class SizedContent(Stream source, long size) : HttpContent
{
    private const int BufferBytes = 128 * 1024;

    /// <summary>Called whenever bytes went out, so that a slow upload is not taken for a silent server.</summary>
    public Action Moving { get; set; } = () => { };

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (var left = size; left > 0;)
            {
                var count = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), cancellationToken);
                if (count == 0) throw new EngineException(EngineFault.Mismatch, $"what is to be pushed ends {left} bytes before the {size} it should have");
                await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                left -= count;
                Moving();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = size;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) source.Dispose();
        base.Dispose(disposing);
    }
}
