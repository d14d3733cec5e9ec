using System.Diagnostics;
using System.IO.Pipelines;

namespace Gantry.Storage.Tests;

/// <summary>Memory is fixed whatever the length. A subclass belongs to <see cref="Alone"/>: it measures the process.</summary>
public abstract class UploadMemoryContract : StorageContract
{
    /// <summary>What an upload may take, and what comes with it.</summary>
    protected virtual long Bound => 40L * 1024 * 1024;

    [Fact]
    [Trait("Protocol", "D2.31")]
    public async Task Append_Of300MiB_NeedsFixedMemory()
    {
        const int Piece = 64 * 1024;
        const long Length = 300L * 1024 * 1024;
        var (writer, _, _) = await StartAsync();
        await using (writer)
        {
            await AppendAsync(writer, Content(2 * 1024 * 1024));
            var before = Footprint();
            var peak = before;
            var pipe = new Pipe();
            var produce = Task.Run(async () =>
            {
                for (long sent = 0; sent < Length; sent += Piece)
                {
                    pipe.Writer.GetMemory(Piece).Span[..Piece].Fill((byte)(sent >> 16));
                    pipe.Writer.Advance(Piece);
                    await pipe.Writer.FlushAsync();
                    if (sent % (16 * 1024 * 1024) == 0) peak = Math.Max(peak, Footprint());
                }

                await pipe.Writer.CompleteAsync();
            });
            await writer.AppendAsync(pipe.Reader, None);
            await produce;
            peak = Math.Max(peak, Footprint());

            Assert.Equal(Length + 2 * 1024 * 1024, writer.Offset);
            Assert.True(peak - before < Bound, $"memory grew by {(peak - before) >> 20} MiB");
        }
    }

    /// <summary>Resident memory without the page cache: managed and native.</summary>
    private static long Footprint()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
