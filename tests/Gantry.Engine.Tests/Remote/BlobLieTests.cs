using Gantry.Engine.Remote;
using Microsoft.AspNetCore.Http;

namespace Gantry.Engine.Tests.Remote;

/// <summary>Servers that lie about what they send.</summary>
public sealed class BlobLieTests
{
    private static readonly byte[] Content = Remotes.Random(600_000);
    private int _turn;

    [Fact]
    [Trait("Pull", "C94")]
    public async Task Read_RangeIgnoredOverAndOver_EndsInTime()
    {
        await using var server = await FakeServer.StartAsync(http =>
        {
            http.Request.Headers.Remove("Range");
            return Remotes.CutAsync(http, Content, 70_000 * ++_turn);
        });
        await Remotes.FailsAsync(EngineFault.Network, () => ReadAsync(server));
        Assert.Equal(5, server.Requests.Count);
    }

    [Theory]
    [Trait("Pull", "C94")]
    [InlineData("bytes 0-599999/600000", 600_000)] // from the beginning
    [InlineData("bytes 99999-599999/600000", 500_001)] // one byte twice
    [InlineData("bytes 100001-599999/600000", 499_999)] // one byte never
    [InlineData("bytes 100000-599999/600001", 500_000)] // of another blob
    [InlineData("bytes 100000-600000/600001", 500_001)]
    [InlineData("bytes 100000-600000/*", 500_001)]
    [InlineData("bytes 100000-599999/600000", 499_999)] // shorter than its range
    [InlineData("bytes 100000-599999/600000", 500_001)]
    [InlineData("bytes */600000", 500_000)]
    [InlineData("pages 100000-599999/600000", 500_000)]
    [InlineData("bytes 599999-100000/600000", 500_000)]
    [InlineData("rubbish", 500_000)]
    [InlineData(null, 500_000)]
    public async Task Read_ResumedWithAnotherRange_Refuses(string? range, int length)
    {
        await using var server = await FakeServer.StartAsync(async http =>
        {
            if (_turn++ == 0)
            {
                await Remotes.CutAsync(http, Content, 100_000);
                return;
            }

            http.Response.StatusCode = 206;
            if (range is not null) http.Response.Headers.ContentRange = range;
            http.Response.ContentLength = length;
            await http.Response.Body.WriteAsync(new byte[length]);
        });
        await Remotes.FailsAsync(EngineFault.Mismatch, () => ReadAsync(server));
        Assert.Equal("bytes=100000-", server.Requests[^1].Range);
    }

    [Fact]
    [Trait("Pull", "C94")]
    public async Task Read_ResumedWithAnotherTag_Refuses()
    {
        await using var server = await FakeServer.StartAsync(http => _turn++ == 0 ? Remotes.CutAsync(http, Content, 100_000, "\"v1\"") : Remotes.SendAsync(http, Content, "\"v2\""));
        var refused = await Remotes.FailsAsync(EngineFault.Mismatch, () => ReadAsync(server));
        Assert.Contains("another version", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Pull", "C94")]
    public async Task Read_PartWithoutBeingAsked_Refuses()
    {
        await using var server = await FakeServer.StartAsync(http =>
        {
            http.Request.Headers.Range = "bytes=1-";
            return Remotes.SendAsync(http, Content);
        });
        await Remotes.FailsAsync(EngineFault.Mismatch, () => ReadAsync(server));
    }

    [Theory]
    [Trait("Pull", "C74")]
    [Trait("Pull", "B106")]
    [InlineData(1, true)]
    [InlineData(-1, true)]
    [InlineData(1, false)]
    [InlineData(200_000, false)]
    public async Task Read_MoreOrLessThanTheSize_Refuses(int more, bool announced)
    {
        var sent = new byte[Content.Length + more];
        Content.AsSpan(0, Math.Min(sent.Length, Content.Length)).CopyTo(sent);
        await using var server = await FakeServer.StartAsync(async http =>
        {
            if (announced) http.Response.ContentLength = sent.Length;
            await http.Response.Body.WriteAsync(sent);
        });
        await Remotes.FailsAsync(EngineFault.Mismatch, () => ReadAsync(server));
    }

    [Fact]
    public async Task Read_Compressed_Refuses()
    {
        await using var server = await FakeServer.StartAsync(http =>
        {
            http.Response.Headers.ContentEncoding = "gzip";
            return Remotes.SendAsync(http, Content);
        });
        await Remotes.FailsAsync(EngineFault.Mismatch, () => ReadAsync(server));
    }

    [Fact]
    public async Task Read_OneByteEachTime_GivesUp()
    {
        await using var server = await FakeServer.StartAsync(http => Remotes.CutAsync(http, Content, 1));
        await Remotes.FailsAsync(EngineFault.Network, () => ReadAsync(server));
        Assert.Equal(3, server.Requests.Count);
    }

    private static async Task<byte[]> ReadAsync(FakeServer server, long from = 0)
    {
        using var registries = new RemoteRegistries(Remotes.Quick);
        return await registries.Open($"{server.Host}/team/app").ReadAsync(Remotes.Describe(Content), from);
    }
}
