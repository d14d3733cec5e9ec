using System.IO.Pipelines;
using System.Runtime.InteropServices;
using Gantry.Layers;
using Gantry.Storage;

namespace Gantry.Core.Look.Indexing;

/// <summary>
/// Hands the bytes of a layer, decompressed, to a reader on a thread of its own: readers of layers are synchronous. Memory: 1 MiB between store and thread, and the
/// decoder's, up to 128 MiB for a zstd layer that wants the largest window.
/// </summary>
public sealed partial class LayerBlobs(IBlobStore store)
{
    private const int PauseBytes = 1 << 20, Nice = 10;

    /// <param name="location">Of the blob.</param>
    /// <param name="read">Need not read to the end.</param>
    /// <param name="isPatient">Nobody waits: whoever serves requests goes first, where there is too little CPU for both.</param>
    /// <param name="cancellationToken">Ends the reading at its next byte.</param>
    /// <exception cref="IOException">The store does not answer, or there is nothing.</exception>
    internal async Task<T> ReadAsync<T>(BlobLocation location, Func<Stream, T> read, bool isPatient, CancellationToken cancellationToken)
    {
        await using var blob = await store.OpenAsync(location, expected: null, cancellationToken) ?? throw new IOException($"there is nothing at {location}");
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: PauseBytes, resumeWriterThreshold: PauseBytes / 2, useSynchronizationContext: false));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var copying = CopyAsync(blob, pipe.Writer, stop.Token);
        try
        {
            return await Task.Factory.StartNew(() =>
            {
                // Linux has it for each thread, and this one ends with the layer. It can only be refused to those who want less of it.
                if (isPatient) _ = SetPriority(0, 0, Nice);
                using var compressed = pipe.Reader.AsStream();
                using var tar = LayerDecoder.Open(compressed);
                return read(tar);
            }, cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            await pipe.Reader.CompleteAsync();
            await stop.CancelAsync();
            await copying;
        }
    }

    /// <summary>False: that a blob cannot be read says nothing of the blob.</summary>
    internal async Task<bool> StoreAnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.ProbeAsync(cancellationToken);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static async Task CopyAsync(IBlobReader blob, PipeWriter to, CancellationToken cancellationToken)
    {
        Exception? fault = null;
        try
        {
            await blob.CopyToAsync(to, 0, blob.Length, cancellationToken);
        }
        catch (Exception exception)
        {
            // The reader meets it at its next byte, unless it has all that it wanted.
            fault = exception;
        }

        await to.CompleteAsync(fault);
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int nice);
}
