using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.ExceptionServices;

namespace Gantry.Storage.S3;

internal sealed partial class S3StagingWriter
{
    /// <summary>
    /// Stages: 1. gather the source's segments into a part, hashing; 2. send it while the next one fills, where the budget
    /// allows; 3. count parts once S3 has them, in their order. What is left over stays in memory until a checkpoint or a commit.
    /// </summary>
    public async ValueTask AppendAsync(PipeReader source, CancellationToken cancellationToken)
    {
        ThrowIfUnusable();
        if (IsSealed || _lastPartIsSent) throw new InvalidOperationException("a sealed upload takes no more bytes");

        ExceptionDispatchInfo? sourceFault;
        try
        {
            sourceFault = await UploadSource.DrainAsync(source, GatherAsync, cancellationToken);
            while (_underWay.Count > 0) await SettleAsync();
        }
        catch
        {
            await GoBackAsync();
            throw;
        }

        Failpoint.Hit("s3-append-sent");
        sourceFault?.Throw();
    }

    private async ValueTask GatherAsync(ReadOnlySequence<byte> rest)
    {
        if (Offset + rest.Length > Schedule.MaxBlobBytes) throw new BlobTooLargeException(Schedule.MaxBlobBytes);
        while (!rest.IsEmpty)
        {
            if (_filling is null) await BeginPartAsync();
            var taken = rest.Slice(0, Math.Min(rest.Length, Room));
            Take(taken);
            rest = rest.Slice(taken.End);
            if (Room == 0) await SendPartAsync();
        }
    }
}
