using System.Buffers;
using Gantry.Storage.Hashing;

namespace Gantry.Storage.S3;

/// <summary>Parts on their way.</summary>
internal sealed partial class S3StagingWriter
{
    /// <summary>The one that fills and those that are sent.</summary>
    private const int MaxPartsAtOnce = 4;

    /// <summary>How many pieces are fetched at the same time.</summary>
    private const int MaxFetches = 16;

    private readonly Queue<PartUnderWay> _underWay = [];
    private readonly Lock _memoryGate = new();
    private readonly Stack<long> _budgetTaken = [];
    private int _buffers;

    /// <summary>Where the upload stood, and its digest, when <see cref="_filling"/> began.</summary>
    private (long Offset, byte[]? Digest) _beforeFilling;

    /// <summary>True where the pieces are in a part under way: they count no more towards the one that fills.</summary>
    private bool _piecesAreUnderWay;

    private bool _lastPartIsSent;

    private sealed record PartUnderWay(long Bytes, bool HasThePieces, (long Offset, byte[]? Digest) Before, Task<string> Sent);

    /// <summary>What the part that fills still takes.</summary>
    private long Room => Math.Max(0,
        Schedule.BytesOf(_parts.Count + _underWay.Count) - (_piecesAreUnderWay ? 0 : WaitingBytes) - (_filling?.Length ?? 0));

    private void Take(in ReadOnlySequence<byte> bytes)
    {
        _filling!.Append(bytes);
        if (_digest is not null)
        {
            foreach (var segment in bytes) _digest.Append(segment.Span);
        }

        Offset += bytes.Length;
    }

    /// <summary>
    /// Waits for memory. Each upload may have one part; a further one takes the budget, and where that is spent, waits for
    /// a part of this upload: it needs nobody else to go on.
    /// </summary>
    private async ValueTask BeginPartAsync()
    {
        while (!TryTakeMemory(Schedule.BytesOf(_parts.Count + _underWay.Count))) await SettleAsync();
        _beforeFilling = (Offset, _digest?.Save());
        _filling = new PartBuffer(_connection.Memory);
    }

    private bool TryTakeMemory(long bytes)
    {
        lock (_memoryGate)
        {
            if (_buffers > 0)
            {
                if (_buffers == MaxPartsAtOnce || !_connection.Memory.TryTakeBudget(bytes)) return false;
                _budgetTaken.Push(bytes);
            }

            _buffers++;
            return true;
        }
    }

    /// <summary>The budget comes first, so that a client that is slow with the next part holds none of it.</summary>
    private void GiveMemoryBack(PartBuffer buffer)
    {
        buffer.Dispose();
        lock (_memoryGate)
        {
            _buffers--;
            if (_budgetTaken.TryPop(out var bytes)) _connection.Memory.GiveBudgetBack(bytes);
        }
    }

    /// <summary>Sends what fills, behind the pieces that wait.</summary>
    private async ValueTask SendPartAsync()
    {
        var hasThePieces = !_piecesAreUnderWay && _pieces.Count > 0;
        await BeginMultipartAsync(CancellationToken.None);
        var head = hasThePieces ? await FetchPiecesAsync(CancellationToken.None) : null;
        var (body, number) = (_filling!, _parts.Count + _underWay.Count + 1);
        _filling = null;
        _piecesAreUnderWay |= hasThePieces;
        _underWay.Enqueue(new PartUnderWay(
            body.Length + (head?.Length ?? 0), hasThePieces, _beforeFilling, SendAsync(number, head, body)));
    }

    private async Task<string> SendAsync(int number, PartBuffer? head, PartBuffer body)
    {
        try
        {
            return await PutPartAsync(number, head, body, CancellationToken.None);
        }
        finally
        {
            head?.Dispose();
            GiveMemoryBack(body);
        }
    }

    private async Task<string> PutPartAsync(int number, PartBuffer? head, PartBuffer? body, CancellationToken cancellationToken)
    {
        await using var content = new PartStream(head, body);
        var tag = await _objects.PutPartAsync(KeyOf(_multipart!), _multipart!.UploadId, number, content, cancellationToken)
            ?? throw new StagingLostException(_sessionId);
        Failpoint.Hit("s3-part-sent");
        return tag;
    }

    /// <summary>Counts the oldest part; a fault leaves it where it is, for <see cref="GoBackAsync"/>.</summary>
    private async ValueTask SettleAsync()
    {
        var part = _underWay.Peek();
        var tag = await part.Sent;
        _underWay.Dequeue();
        Count(part, tag);
    }

    private void Count(PartUnderWay part, string tag)
    {
        _parts.Add(new Part(part.Bytes, tag));
        if (!part.HasThePieces) return;
        SpendPieces();
        _piecesAreUnderWay = false;
    }

    private void SpendPieces()
    {
        _spent.AddRange(_pieces);
        _pieces.Clear();
    }

    /// <summary>To before the first byte that S3 does not have. Pieces of a part that failed wait again.</summary>
    private async ValueTask GoBackAsync()
    {
        (long Offset, byte[]? Digest)? back = null;
        while (_underWay.TryDequeue(out var part))
        {
            await ((Task)part.Sent).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (back is null && part.Sent.IsCompletedSuccessfully) Count(part, await part.Sent);
            else back ??= part.Before;
        }

        if (_filling is not null) back ??= _beforeFilling;
        DropFilling();
        _piecesAreUnderWay = false;
        if (back is not { } stand) return;
        Offset = stand.Offset;
        _digest?.Dispose();
        _digest = stand.Digest is null ? null : RunningDigest.Resume(_algorithm, stand.Offset, stand.Digest);
    }

    private async ValueTask BeginMultipartAsync(CancellationToken cancellationToken)
    {
        if (_multipart is not null) return;
        var key = _connection.Keys.KeyOf(S3Keys.LocationOf(_sessionId, _suffix));
        _multipart = new Multipart(_suffix, await _objects.BeginAsync(key, cancellationToken));
        Failpoint.Hit("s3-multipart-begun");
    }

    /// <summary>All pieces that wait, in their order; the caller owns the buffer.</summary>
    private async Task<PartBuffer> FetchPiecesAsync(CancellationToken cancellationToken)
    {
        var start = _pieces[0].Offset;
        var buffer = new PartBuffer(_connection.Memory);
        try
        {
            buffer.Reserve(WaitingBytes);
            var options = new ParallelOptions { MaxDegreeOfParallelism = MaxFetches, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(_pieces, options, async (piece, token) =>
            {
                await using var download = await OpenPieceAsync(piece, token);
                for (var at = 0; at < piece.Bytes;)
                {
                    var slice = buffer.Slice(piece.Offset - start + at);
                    at += await download.ReadAsync(slice[..Math.Min(slice.Length, piece.Bytes - at)], token);
                }
            });
            return buffer;
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    private async ValueTask<S3Download> OpenPieceAsync(Piece piece, CancellationToken cancellationToken)
    {
        var download = await S3Download.OpenAsync(_connection, PieceKey(piece), range: null, cancellationToken)
            ?? throw new StagingLostException(_sessionId);
        if (download.Length == piece.Bytes) return download;
        await download.DisposeAsync();
        throw new StagingLostException(_sessionId);
    }
}
