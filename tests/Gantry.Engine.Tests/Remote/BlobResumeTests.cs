using System.Collections.Concurrent;
using Gantry.Engine.Remote;
using Microsoft.AspNetCore.Http;

namespace Gantry.Engine.Tests.Remote;

/// <summary>Connections that break, and registries that are busy or away for a moment.</summary>
public sealed class BlobResumeTests
{
    private static readonly byte[] Content = Remotes.Random(600_000);
    private readonly ConcurrentQueue<string> _notes = new();
    private int _turn;

    private RemoteOptions Options => Remotes.Quick with { Notes = _notes.Enqueue };

    [Fact]
    public async Task Read_CutSeveralTimes_GoesOnWhereItWas()
    {
        await using var server = await FakeServer.StartAsync(http => _turn++ < 4 ? Remotes.CutAsync(http, Content, 100_000, "\"v1\"") : Remotes.SendAsync(http, Content, "\"v1\""));
        Assert.Equal(Content, await ReadAsync(server));
        Assert.Equal(5, server.Requests.Count);
        Assert.Null(server.Requests[0].Range);
        Assert.All(server.Requests.Skip(1), request => Assert.Equal("\"v1\"", request.IfRange));
        Assert.Equal(4, _notes.Count);
    }

    [Theory]
    [InlineData("W/\"v1\"")]
    [InlineData(null)]
    public async Task Read_CutWithoutStrongTag_ResumesWithoutIfRange(string? tag)
    {
        await using var server = await FakeServer.StartAsync(http => _turn++ < 1 ? Remotes.CutAsync(http, Content, 100_000, tag) : Remotes.SendAsync(http, Content, tag));
        Assert.Equal(Content, await ReadAsync(server));
        Assert.Null(server.Requests[1].IfRange);
        Assert.NotNull(server.Requests[1].Range);
    }

    [Fact]
    public async Task Read_FromTheMiddle_AsksForTheRest()
    {
        await using var server = await FakeServer.StartAsync(http => Remotes.SendAsync(http, Content));
        Assert.Equal(Content[1000..], await ReadAsync(server, 1000));
        Assert.Equal("bytes=1000-", Assert.Single(server.Requests).Range);
        Assert.Empty(await ReadAsync(server, Content.Length));
        Assert.Single(server.Requests);
    }

    [Fact]
    [Trait("Pull", "C94")]
    public async Task Read_RangeIgnored_PassesOverWhatIsThere()
    {
        await using var server = await FakeServer.StartAsync(async http =>
        {
            http.Request.Headers.Remove("Range");
            await (_turn++ < 2 ? Remotes.CutAsync(http, Content, 200_000 * _turn) : Remotes.SendAsync(http, Content));
        });
        Assert.Equal(Content, await ReadAsync(server));
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    [Trait("Pull", "C94")]
    public async Task Read_ShortRanges_AsksForTheRest()
    {
        await using var server = await FakeServer.StartAsync(async http =>
        {
            var from = (int)(Remotes.From(http) ?? 0);
            if (from == 0)
            {
                await Remotes.CutAsync(http, Content, 100_000);
                return;
            }

            var count = Math.Min(150_000, Content.Length - from);
            http.Response.StatusCode = 206;
            http.Response.Headers.ContentRange = $"bytes {from}-{from + count - 1}/{Content.Length}";
            http.Response.ContentLength = count;
            await http.Response.Body.WriteAsync(Content.AsMemory(from, count));
        });
        Assert.Equal(Content, await ReadAsync(server));
    }

    [Fact]
    public async Task Read_ChunkedOfTheRightSize_IsWhole()
    {
        await using var server = await FakeServer.StartAsync(http => http.Response.Body.WriteAsync(Content).AsTask());
        Assert.Equal(Content, await ReadAsync(server));
    }

    [Fact]
    public async Task Read_EndsEarlyWithoutLength_GoesOn()
    {
        await using var server = await FakeServer.StartAsync(http => _turn++ == 0 ? http.Response.Body.WriteAsync(Content.AsMemory(0, 300_000)).AsTask() : Remotes.SendAsync(http, Content));
        Assert.Equal(Content, await ReadAsync(server));
        Assert.Equal("bytes=300000-", server.Requests[1].Range);
    }

    [Fact]
    public async Task Read_FruitfulTries_AreNotCounted()
    {
        await using var server = await FakeServer.StartAsync(http => Remotes.CutAsync(http, Content, 70_000));
        Assert.Equal(Content, await ReadAsync(server));
        Assert.True(server.Requests.Count > 7);
    }

    [Fact]
    public async Task Read_ConnectionsReset_GoesOnToo()
    {
        await using var server = await FakeServer.StartAsync(async http =>
        {
            await Remotes.CutAsync(http, Content, _turn++ < 4 ? 100_000 : Content.Length);
            if (_turn < 4) http.Abort();
        });
        using var registries = new RemoteRegistries(Options with { MaxTries = 6 });
        Assert.Equal(Content, await registries.Open($"{server.Host}/team/app").ReadAsync(Remotes.Describe(Content)));
    }

    [Fact]
    public async Task Read_ServerStalls_CountsAsCut()
    {
        await using var server = await FakeServer.StartAsync(async http =>
        {
            if (_turn++ > 0)
            {
                await Remotes.SendAsync(http, Content);
                return;
            }

            http.Response.ContentLength = Content.Length;
            await http.Response.Body.WriteAsync(Content.AsMemory(0, 100_000));
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        using var registries = new RemoteRegistries(Options with { StallTimeout = TimeSpan.FromMilliseconds(300) });
        Assert.Equal(Content, await registries.Open($"{server.Host}/team/app").ReadAsync(Remotes.Describe(Content)));
        Assert.Contains("no byte came", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_Cancelled_StopsAtOnce()
    {
        using var cancel = new CancellationTokenSource();
        await using var server = await FakeServer.StartAsync(async http =>
        {
            http.Response.ContentLength = Content.Length;
            await http.Response.Body.WriteAsync(Content.AsMemory(0, 1000));
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        using var registries = new RemoteRegistries(Options);
        await using var stream = await registries.Open($"{server.Host}/team/app").OpenBlobAsync(Remotes.Describe(Content));
        await stream.ReadExactlyAsync(new byte[1000]);
        var next = stream.ReadAsync(new byte[1000], cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }

    [Fact]
    public async Task Read_NotThere_SaysSoWhenOpened()
    {
        await using var server = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 404, """{"errors":[{"code":"BLOB_UNKNOWN","message":"no \u001b[31msuch blob"}]}"""));
        using var registries = new RemoteRegistries(Options);
        var none = await Remotes.FailsAsync(EngineFault.NotFound, () => registries.Open($"{server.Host}/team/app").OpenBlobAsync(Remotes.Describe(Content)));
        Assert.Contains("BLOB_UNKNOWN: no \\u001b[31msuch blob", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_RegistryBusy_PausesGrow()
    {
        var time = new RecordingTime();
        await using var server = await FakeServer.StartAsync(http => FakeServer.AnswerAsync(http, 503));
        using var registries = new RemoteRegistries(Options with { MaxTries = 6, LongestPause = TimeSpan.FromMilliseconds(9), Time = time });
        await Remotes.FailsAsync(EngineFault.Network, () => registries.Open($"{server.Host}/team/app").ReadAsync(Remotes.Describe(Content)));
        Assert.Equal([1, 2, 4, 8, 9], time.Timers.Where(due => due < TimeSpan.FromSeconds(1) && due > TimeSpan.Zero).Select(due => due.TotalMilliseconds));
        Assert.Equal(6, server.Requests.Count);
    }

    [Theory]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(504)]
    public async Task Read_PassingTrouble_IsTriedAgain(int status)
    {
        await using var server = await FakeServer.StartAsync(http => _turn++ == 0 ? FakeServer.AnswerAsync(http, status) : Remotes.SendAsync(http, Content));
        Assert.Equal(Content, await ReadAsync(server));
    }

    private async Task<byte[]> ReadAsync(FakeServer server, long from = 0)
    {
        using var registries = new RemoteRegistries(Options);
        return await registries.Open($"{server.Host}/team/app").ReadAsync(Remotes.Describe(Content), from);
    }

    private sealed class RecordingTime : TimeProvider
    {
        public ConcurrentQueue<TimeSpan> Timers { get; } = new();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Timers.Enqueue(dueTime);
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }
}
