using Gantry.Oci;
using Gantry.Storage.Hashing;

namespace Gantry.Storage.S3;

/// <summary>
/// One upload in the hands of one request. Not for concurrent calls. Its bytes lie, in this order and without a gap, in
/// parts, in pieces, and in the buffer that fills; <see cref="Offset"/> is where the last of them ends.
/// <para>Memory: one part, and with what <see cref="PartMemory"/> has to spare up to <see cref="MaxPartsAtOnce"/>.</para>
/// </summary>
internal sealed partial class S3StagingWriter : IStagingWriter
{
    /// <summary>64 MiB in chunks of 32 KiB.</summary>
    internal const int MaxPieces = 2048;

    private readonly S3Connection _connection;
    private readonly S3Objects _objects;
    private readonly Guid _sessionId;
    private readonly DigestAlgorithm _algorithm;

    private readonly List<Part> _parts;
    private readonly List<Piece> _pieces;

    /// <summary>Became parts by this writer's hand; a state that the caller has yet may name them.</summary>
    private readonly List<Piece> _spent = [];

    /// <summary>Became parts before: the state that this writer was opened with names them no more.</summary>
    private List<Piece> _removable;

    private Multipart? _multipart;

    /// <summary>True where a state that the caller got names the multipart upload: another writer may go on with it.</summary>
    private bool _multipartIsKnown;

    /// <summary>What follows the pieces; null where nothing does.</summary>
    private PartBuffer? _filling;

    /// <summary>Over the bytes up to <see cref="Offset"/>; null where it was lost and is read back when asked for.</summary>
    private RunningDigest? _digest;

    private (long Offset, Digest Digest)? _readBack;
    /// <summary>Of the object this writer makes, where it is the first to make one.</summary>
    private readonly uint _suffix = S3Keys.NewSuffix();

    private BlobLocation? _committed;
    private bool _isPutTogether;
    private bool _disposed;

    private S3StagingWriter(S3Connection connection, Guid sessionId, DigestAlgorithm algorithm, S3StagingState state)
    {
        (_connection, _objects, _sessionId, _algorithm) = (connection, new S3Objects(connection), sessionId, algorithm);
        (_parts, _pieces, _removable) = ([.. state.Parts], [.. state.Pieces], [.. state.Spent]);
        (_multipart, _multipartIsKnown) = (state.Multipart, state.Multipart is not null);
    }

    public long Offset { get; private set; }

    public bool IsSealed { get; private set; }

    public bool LeavesStaging =>
        _pieces.Count + _spent.Count + _removable.Count > 0 || (_multipart is not null && _multipartIsKnown && !_isPutTogether);

    private PartSchedule Schedule => _connection.Schedule;

    private long WaitingBytes => _pieces.Sum(piece => (long)piece.Bytes);

    /// <summary>What a state says, as far as it can be told without reading a piece.</summary>
    public static async Task<S3StagingWriter> OverAsync(
        S3Connection connection, Guid sessionId, StagingState state, CancellationToken cancellationToken)
    {
        if (S3StagingState.Parse(state.Backend) is not { } backend || backend.Length != state.Offset)
            throw new StagingLostException(sessionId);

        var writer = new S3StagingWriter(connection, sessionId, state.Algorithm, backend) { Offset = state.Offset };
        if (backend.Multipart is { } multipart)
        {
            // An earlier close may have completed it without writing its row.
            var key = connection.Keys.KeyOf(S3Keys.LocationOf(sessionId, multipart.Suffix));
            if (await writer._objects.HeadAsync(key, cancellationToken) is { } sealedBlob)
            {
                if (sealedBlob.Length < state.Offset) throw new StagingLostException(sessionId);
                (writer.IsSealed, writer._isPutTogether, writer.Offset) = (true, true, sealedBlob.Length);
                return writer;
            }
        }

        writer._digest = state switch
        {
            { Offset: 0 } => RunningDigest.Start(state.Algorithm),
            { HashState: { } saved } => RunningDigest.Resume(state.Algorithm, state.Offset, saved),
            _ => null,
        };
        return writer;
    }

    public async ValueTask<StagingState> CheckpointAsync(CancellationToken cancellationToken)
    {
        ThrowIfUnusable();
        cancellationToken.ThrowIfCancellationRequested();
        if (!IsSealed)
        {
            if (_filling is { Length: > 0 }) await KeepPieceAsync(cancellationToken);
            await RemoveSpentAsync(cancellationToken);
            _multipartIsKnown = _multipart is not null;
        }

        var backend = new S3StagingState(_multipart, _parts, _pieces, [.. _removable, .. _spent]);
        return new StagingState(Offset, _algorithm, _digest?.Save(), backend.Save());
    }

    /// <summary>
    /// What is less than a part becomes an object of its own. Where tiny chunks made very many, it takes those before it
    /// along: a state, and what it costs to write it, has a bound.
    /// </summary>
    private async ValueTask KeepPieceAsync(CancellationToken cancellationToken)
    {
        using var head = _pieces.Count < MaxPieces ? null : await FetchPiecesAsync(cancellationToken);
        await using var content = new PartStream(head, _filling);
        var piece = new Piece(Offset - content.Length, (int)content.Length, S3Keys.NewSuffix());
        await _objects.PutAsync(PieceKey(piece), content, cancellationToken);
        Failpoint.Hit("s3-piece-written");
        if (head is not null) SpendPieces();
        _pieces.Add(piece);
        DropFilling();
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        DropFilling();
        _digest?.Dispose();
        try
        {
            if (_multipart is { } multipart && !_multipartIsKnown) await ForgetAsync(multipart);
        }
        catch (IOException)
        {
            // Nobody knows of it, so nothing is lost; the orphan sweep finds what has no session.
        }
    }

    /// <summary>The parts that no state names; or, where they were put together for their digest alone, the object.</summary>
    private async Task ForgetAsync(Multipart multipart)
    {
        if (!_isPutTogether) await _objects.AbortAsync(KeyOf(multipart), multipart.UploadId, CancellationToken.None);
        else if (_committed is null) await _objects.DeleteAsync(KeyOf(multipart), CancellationToken.None);
    }

    private string KeyOf(Multipart multipart) => _connection.Keys.KeyOf(S3Keys.LocationOf(_sessionId, multipart.Suffix));

    private async Task RemoveSpentAsync(CancellationToken cancellationToken)
    {
        if (_removable.Count == 0) return;
        await _objects.DeleteAsync(_removable.Select(PieceKey), cancellationToken);
        _removable = [];
    }

    private string PieceKey(Piece piece) => _connection.Keys.PieceOf(_sessionId, piece.Offset, piece.Suffix);

    private void DropFilling()
    {
        if (_filling is { } filling) GiveMemoryBack(filling);
        _filling = null;
    }

    private void ThrowIfUnusable() => ObjectDisposedException.ThrowIf(_disposed, this);
}
