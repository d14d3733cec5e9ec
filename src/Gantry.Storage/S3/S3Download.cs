using Amazon.S3.Model;

namespace Gantry.Storage.S3;

/// <summary>
/// Bytes of one object, in their order. Where the connection is cut, or falls silent, it goes on with a new request for
/// what is missing, as long as each brings something; the ETag sees to it that they come from one object.
/// </summary>
internal sealed class S3Download : IAsyncDisposable
{
    private const int MaxAttemptsWithoutProgress = 5;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    private readonly S3Connection _connection;
    private readonly S3Objects _objects;
    private readonly string _key;
    private GetObjectResponse? _response;
    private int _attempts;

    private S3Download(S3Connection connection, S3Objects objects, string key, GetObjectResponse response, long position, long end) =>
        (_connection, _objects, _key, _response, ETag, Position, End) = (connection, objects, key, response, response.ETag, position, end);

    public string ETag { get; }

    /// <summary>Of the whole object.</summary>
    public long Length { get; private init; }

    /// <summary>Of the next byte.</summary>
    public long Position { get; private set; }

    /// <summary>After the last byte that was asked for.</summary>
    public long End { get; }

    /// <summary>Null where there is no such object.</summary>
    public static async ValueTask<S3Download?> OpenAsync(S3Connection connection, string key, BlobRange? range,
        CancellationToken cancellationToken, string? etag = null)
    {
        var objects = new S3Objects(connection);
        if (await objects.GetAsync(key, range, etag, cancellationToken) is not { } response) return null;
        var length = S3Objects.LengthOf(response);
        return new S3Download(connection, objects, key, response, range?.Offset ?? 0,
            range is { } part ? Math.Min(part.Offset + part.Count, length) : length) { Length = length };
    }

    /// <summary>At least one byte, as long as <see cref="Position"/> is before <see cref="End"/>.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (buffer.Length > End - Position) buffer = buffer[..(int)(End - Position)];
        if (buffer.IsEmpty) return 0;
        while (true)
        {
            Exception? fault = null;
            try
            {
                _response ??= await AgainAsync(cancellationToken);
                using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                silence.CancelAfter(_connection.Options.Timeout);
                var read = await _response.ResponseStream.ReadAsync(buffer, silence.Token);
                if (read > 0)
                {
                    (Position, _attempts) = (Position + read, 0);
                    return read;
                }
            }
            catch (Exception cut) when (S3Faults.IsOfTheSdk(cut) && cut is not StorageUnavailableException
                && !cancellationToken.IsCancellationRequested)
            {
                fault = cut;
            }

            Drop();
            if (++_attempts >= MaxAttemptsWithoutProgress)
                throw S3Faults.Of("send an object whole", fault ?? new EndOfStreamException($"{End - Position} bytes are missing"));
            await Task.Delay(FirstPause * (1 << _attempts), _connection.Time, cancellationToken);
        }
    }

    public ValueTask DisposeAsync()
    {
        Drop();
        return ValueTask.CompletedTask;
    }

    private async Task<GetObjectResponse> AgainAsync(CancellationToken cancellationToken) =>
        await _objects.GetAsync(_key, new BlobRange(Position, End - Position), ETag, cancellationToken)
        ?? throw new StorageUnavailableException("the object was deleted while it was read", new FileNotFoundException(_key));

    private void Drop()
    {
        _response?.Dispose();
        _response = null;
    }
}
