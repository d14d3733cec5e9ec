using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.ExceptionServices;

namespace Gantry.Storage;

/// <summary>What every backend does with the bytes of an append as they come.</summary>
internal static class UploadSource
{
    /// <summary>
    /// Hands over all that comes until the source ends, fails or is cancelled. What arrived before the client went away is
    /// worth keeping, for the upload may go on from there: the fault is returned, to be thrown once the backend has settled.
    /// </summary>
    /// <param name="takeAsync">Takes all of the bytes; its own fault is thrown at once.</param>
    /// <returns>Null where the source ended by itself.</returns>
    public static async ValueTask<ExceptionDispatchInfo?> DrainAsync(
        PipeReader source, Func<ReadOnlySequence<byte>, ValueTask> takeAsync, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult read;
            try
            {
                read = await source.ReadAsync(cancellationToken);
            }
            catch (Exception fault)
            {
                return ExceptionDispatchInfo.Capture(fault);
            }

            try
            {
                await takeAsync(read.Buffer);
            }
            finally
            {
                source.AdvanceTo(read.Buffer.End);
            }

            if (read.IsCanceled) return ExceptionDispatchInfo.Capture(new OperationCanceledException("the source was cancelled"));
            if (read.IsCompleted) return null;
        }
    }
}
