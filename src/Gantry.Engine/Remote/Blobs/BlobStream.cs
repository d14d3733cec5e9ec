using Gantry.Engine.Remote.Transport;

namespace Gantry.Engine.Remote.Blobs;

/// <summary>
/// The bytes of a blob from some offset to its end, exactly, out of as many connections as it takes. A cut connection is resumed by a
/// range; a place that brings nothing, or lies, is left for the next one. Whether the bytes are the right ones is the reader's to check.
/// </summary>
/// <remarks>Holds no bytes but, while a server that cannot resume is passed over, one buffer of 32 KiB. One reader at a time.</remarks>
internal sealed partial class BlobStream : Stream
{
    /// <summary>A connection that brought less counts as fruitless, so a server that sends one byte each is given up in time.</summary>
    private const long FruitfulBytes = 64 * 1024;

    /// <summary>How often a server without ranges may begin anew; each time costs all that was there already.</summary>
    private const int MaxRestarts = 3;

    private readonly IReadOnlyList<BlobPlace> _places;
    private readonly long _size;
    private readonly RemoteOptions _options;
    private readonly Dictionary<string, string> _entityTags = new(StringComparer.Ordinal);
    private CancellationTokenSource _stall;
    private Tries _tries;
    private int _place, _restarts;
    private long _position, _connectedAt, _skip, _end;
    private HttpResponseMessage? _response;
    private Stream? _body;

    private BlobStream(IReadOnlyList<BlobPlace> places, long size, long from, RemoteOptions options)
    {
        (_places, _size, _position, _options, _tries) = (places, size, from, options, new Tries(options));
        _stall = new CancellationTokenSource(Timeout.InfiniteTimeSpan, options.Time);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Returns once the first bytes are under way, so that a blob that is not there is told here and not in the middle of reading.</summary>
    public static async Task<Stream> OpenAsync(IReadOnlyList<BlobPlace> places, long size, long from, RemoteOptions options, CancellationToken cancellationToken)
    {
        var stream = new BlobStream(places, size, from, options);
        try
        {
            if (from < size) await ConnectAsync(stream, cancellationToken);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return 0;
        while (_position < _size)
        {
            EngineException failed;
            try
            {
                // 1. A connection, and on it the byte that is next.
                if (_body is null) await ConnectAsync(this, cancellationToken);
                await PassOverAsync(cancellationToken);

                // 2. Never more than the answer said it has.
                var count = await ReadBodyAsync(buffer[..(int)Math.Min(buffer.Length, _end - _position)], cancellationToken);
                _position += count;
                if (_position == _size) await FinishAsync(cancellationToken);
                if (count > 0) return count;
                failed = Cut("the connection ended early", null);
            }
            catch (Exception cut) when (cut is IOException or HttpRequestException)
            {
                failed = Cut(cut.Message, cut);
            }

            // 3. It broke off, or the range it gave is through: go on where we are.
            await AgainAsync(failed, cancellationToken);
        }

        return 0;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Drop();
            _stall.Dispose();
        }

        base.Dispose(disposing);
    }

    private async Task PassOverAsync(CancellationToken cancellationToken)
    {
        if (_skip == 0) return;
        var waste = new byte[32 * 1024];
        while (_skip > 0)
        {
            var count = await ReadBodyAsync(waste.AsMemory(0, (int)Math.Min(waste.Length, _skip)), cancellationToken);
            if (count == 0) throw new IOException("the connection ended early");
            _skip -= count;
        }
    }

    /// <summary>All bytes are there. Of an answer that did not say how many it has, there must not be one more.</summary>
    private async Task FinishAsync(CancellationToken cancellationToken)
    {
        if (_response!.Content.Headers.ContentLength is null)
        {
            var more = 0;
            try
            {
                more = await ReadBodyAsync(new byte[1], cancellationToken);
            }
            catch (Exception cut) when (cut is IOException or HttpRequestException)
            {
                // Cut after the last byte that is due: nothing is missing.
            }

            if (more > 0) throw new EngineException(EngineFault.Mismatch, $"{_places[_place].Name} sends more than the {_size} bytes of the blob");
        }

        Drop();
    }

    private async ValueTask<int> ReadBodyAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        _stall.CancelAfter(_options.StallTimeout);
        await using var registration = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _stall);
        try
        {
            var count = await _body!.ReadAsync(buffer, _stall.Token);
            _stall.CancelAfter(Timeout.InfiniteTimeSpan);
            return count;
        }
        catch (OperationCanceledException late)
        {
            // Used up; not disposed, for the reader's token may be about to cancel it.
            _stall = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _options.Time);
            cancellationToken.ThrowIfCancellationRequested();
            throw new IOException($"no byte came for {_options.StallTimeout.TotalSeconds:0} seconds", late);
        }
    }

    private async Task AgainAsync(EngineException failed, CancellationToken cancellationToken)
    {
        var brought = _position - _connectedAt;
        Drop();
        _options.Notes?.Invoke($"{failed.Message}; going on at byte {_position} of {_size}");
        if (brought >= FruitfulBytes) _tries.Reset();
        else if (!await _tries.AgainAsync(null, cancellationToken)) NextPlace(failed);
    }

    private EngineException Cut(string why, Exception? inner) => new(EngineFault.Network, $"{_places[_place].Name} was cut off: {RemoteText.Shown(why, 300)}", inner);

    private void Drop()
    {
        _body?.Dispose();
        _response?.Dispose();
        (_body, _response, _skip) = (null, null, 0);
    }
}
