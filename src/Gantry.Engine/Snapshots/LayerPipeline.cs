using Gantry.Engine.Content;
using Gantry.Engine.Images;
using Gantry.Layers;
using Gantry.Oci;

namespace Gantry.Engine.Snapshots;

/// <summary>
/// One layer from its blob, there or on its way, to whoever unpacks it: a thread that decodes and hashes, a thread that writes files, which takes longer, and 1.5 MiB of
/// blocks between them. The archive ends for the unpacker only after size, blob digest and diffID were found right; until then he cannot know that he is through.
/// </summary>
internal static class LayerPipeline
{
    /// <param name="layer">As the manifest has it.</param>
    /// <param name="diffId">As the config has it.</param>
    /// <param name="reading">How it is read, and who wants to know of it.</param>
    /// <param name="unpack">Reads the archive to its end. On a thread of its own.</param>
    /// <exception cref="EngineException">
    /// Mismatch and whatever else ends the blob. Where both the blob and its content are wrong, the blob's fault is the one told: what a broken download decodes to
    /// says nothing about the image.
    /// </exception>
    /// <exception cref="LayerException">The layer is as its maker made it, and broken.</exception>
    public static async Task<T> RunAsync<T>(BlobReading blob, ContentReference layer, Digest diffId, LayerReading reading,
        Func<Stream, CancellationToken, T> unpack, CancellationToken ct)
    {
        if (reading.VerifyFirst) await blob.Completion.WaitAsync(ct);
        var pipe = new BlockPipe();
        var decoding = OnThreadAsync("gantry-decode", () => pipe.Fill(() => new VerifyingStream(Decode(blob, layer, diffId, reading, ct), diffId)));
        T? result = default;
        try
        {
            await OnThreadAsync("gantry-unpack", () =>
            {
                using var archive = pipe.OpenReader();
                result = unpack(archive, ct);
                archive.CopyTo(Stream.Null);
            });
        }
        catch (Exception fault) when (fault is ContentFailedException or LayerException or EngineException { Fault: EngineFault.Mismatch })
        {
            await blob.Completion.WaitAsync(ct);
            throw;
        }
        finally
        {
            await decoding;
        }

        await blob.Completion.WaitAsync(ct);
        return result!;
    }

    private static Stream Decode(BlobReading blob, ContentReference layer, Digest diffId, LayerReading reading, CancellationToken ct)
    {
        if (LayerMediaType.SaysUncompressed(layer.Descriptor.MediaType) && layer.Digest.Algorithm == diffId.Algorithm && layer.Digest != diffId)
        {
            // The name may be wrong about the bytes; where it is not, the two digests are of the same bytes.
            var first = new byte[LayerDecoder.SniffLength];
            var count = blob.Follow(ct).ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
            if (LayerDecoder.Sniff(first.AsSpan(0, count)) == LayerCompression.None) throw VerifyingStream.Mismatch(layer.Digest, diffId);
        }

        var archive = Decoding.Open(new CountingStream(blob.Follow(ct), reading.Consumed), reading.Windows, out var found);
        var announced = LayerMediaType.Announced(layer.Descriptor.MediaType);
        if (found is { } bytes && bytes != announced)
            reading.Warn?.Invoke($"the layer {layer.Digest} is called {Words(announced)} and is {Words(bytes)}: it is read as what it is");
        return archive;
    }

    private static string Words(LayerCompression compression) => compression switch
    {
        LayerCompression.Gzip => "gzip",
        LayerCompression.Zstd => "zstd",
        _ => "a tar without compression",
    };

    private static Task OnThreadAsync(string name, Action run)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                run();
                done.SetResult();
            }
            catch (OperationCanceledException cancelled)
            {
                done.SetCanceled(cancelled.CancellationToken);
            }
            catch (Exception fault)
            {
                done.SetException(fault);
            }
        })
        { IsBackground = true, Name = name }.Start();
        return done.Task;
    }

    private sealed class CountingStream(Stream inner, Action<long>? consumed) : ReadOnlyStream
    {
        private long _count;

        public override int Read(Span<byte> buffer)
        {
            var count = inner.Read(buffer);
            if (count > 0) consumed?.Invoke(_count += count);
            return count;
        }
    }
}

/// <summary>How layers are read.</summary>
/// <param name="Windows">Memory for what is compressed with zstd.</param>
/// <param name="VerifyFirst">No byte is decoded before the blob is whole and its digest right.</param>
/// <param name="Consumed">Told how much of the blob was decoded, from the decoding thread.</param>
/// <param name="Warn">Told what is odd and tolerated, from the decoding thread.</param>
internal sealed record LayerReading(WindowFiles Windows, bool VerifyFirst, Action<long>? Consumed, Action<string>? Warn);
