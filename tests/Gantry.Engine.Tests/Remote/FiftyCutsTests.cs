using Gantry.Engine.Remote;
using Gantry.Engine.Remote.Transport;
using Gantry.Oci;

namespace Gantry.Engine.Tests.Remote;

[Trait("Speed", "Slow")]
public sealed class FiftyCutsTests
{
    private const int Cuts = 50, Size = 64 << 20;

    /// <summary>Counted where they come in: every byte that the client reads off its sockets, heads of answers among them.</summary>
    [Fact]
    [Trait("Pull", "G9")]
    public async Task Read_FiftyCutConnections_FetchesHardlyMoreThanTheBlob()
    {
        var content = Remotes.Random(Size);
        var cuts = 0;
        var fetched = new Counter();
        await using var server = await FakeServer.StartAsync(async http =>
        {
            var from = (int)(Remotes.From(http) ?? 0);
            http.Response.StatusCode = from == 0 ? 200 : 206;
            http.Response.Headers.ETag = "\"v1\"";
            if (from > 0) http.Response.Headers.ContentRange = $"bytes {from}-{Size - 1}/{Size}";
            http.Response.ContentLength = Size - from;
            var end = cuts++ < Cuts ? Math.Min(Size, from + (Size / (Cuts + 1))) : Size;
            for (var at = from; at < end;)
            {
                var count = Math.Min(32 * 1024, end - at);
                await http.Response.Body.WriteAsync(content.AsMemory(at, count));
                await http.Response.Body.FlushAsync();
                at += count;
            }

            if (end < Size) http.Abort();
        });
        var dialing = new Dialing(Dialing.System.Resolve, async (to, end) => new CountingStream(await Dialing.System.Connect(to, end), fetched));
        using var registries = new RemoteRegistries(Remotes.Quick with { Dialing = dialing });

        var read = await registries.Open($"{server.Host}/team/app").ReadAsync(new Descriptor("x/y", Digest.Of(content), Size));

        Assert.True(content.AsSpan().SequenceEqual(read));
        Assert.True(server.Requests.Count > Cuts, $"only {server.Requests.Count} connections");
        Assert.InRange(fetched.Bytes, Size, Size * 1.05);
    }

    private sealed class Counter
    {
        public long Bytes;
    }

    private sealed class CountingStream(Stream inner, Counter counter) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            Interlocked.Add(ref counter.Bytes, count);
            return count;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
