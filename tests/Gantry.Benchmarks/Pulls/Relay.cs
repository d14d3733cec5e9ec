using System.Net;
using System.Net.Sockets;

namespace Gantry.Benchmarks.Pulls;

/// <summary>Stands before the registry and passes bytes on: counts what comes back, makes it slow, hangs up again and again.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private const int BlockBytes = 64 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _gate = new();
    private readonly Uri _target;
    private readonly double _bytesPerSecond;
    private readonly long _cutEvery;
    private readonly Task _accepting;
    private readonly TimeProvider _time = TimeProvider.System;
    private DateTimeOffset _free;
    private long _returned;
    private int _cutsLeft;

    /// <param name="bytesPerSecond">For all connections together.</param>
    /// <param name="cuts">So many times the connection that has just brought another <paramref name="cutEvery"/> bytes is closed.</param>
    public Relay(Uri target, double bytesPerSecond = double.PositiveInfinity, int cuts = 0, long cutEvery = long.MaxValue)
    {
        (_target, _bytesPerSecond, _cutsLeft, _cutEvery) = (target, bytesPerSecond, cuts, cutEvery);
        _free = _time.GetUtcNow();
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Host => $"{_listener.LocalEndpoint}";

    /// <summary>Everything that the registry sent and a client took, heads of answers included.</summary>
    public long Returned => Interlocked.Read(ref _returned);

    public int CutsLeft => _cutsLeft;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true) open.Add(PassAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        using var from = client;
        using var to = new TcpClient();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        try
        {
            await to.ConnectAsync(_target.Host, _target.Port, end.Token);
            var there = from.GetStream().CopyToAsync(to.GetStream(), end.Token);
            await ReturnAsync(to.GetStream(), from.GetStream(), end.Token);
            await end.CancelAsync();
            await there.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException or SocketException)
        {
            await end.CancelAsync(); // One side hung up: so does the other.
        }
    }

    private async Task ReturnAsync(NetworkStream registry, NetworkStream client, CancellationToken ct)
    {
        var block = new byte[(int)Math.Clamp(_cutEvery / 2, 1024, BlockBytes)];
        while (await registry.ReadAsync(block, ct) is var count and > 0)
        {
            await DelayAsync(count, ct);
            await client.WriteAsync(block.AsMemory(0, count), ct);
            var before = Interlocked.Add(ref _returned, count) - count;
            if (before / _cutEvery != (before + count) / _cutEvery && Interlocked.Decrement(ref _cutsLeft) >= 0) return;
        }
    }

    private Task DelayAsync(int count, CancellationToken ct)
    {
        if (double.IsPositiveInfinity(_bytesPerSecond)) return Task.CompletedTask;
        TimeSpan wait;
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            if (_free < now) _free = now;
            _free += TimeSpan.FromSeconds(count / _bytesPerSecond);
            wait = _free - now;
        }

        // Timers are coarse: what is due within two milliseconds may go at once.
        return wait < TimeSpan.FromMilliseconds(2) ? Task.CompletedTask : Task.Delay(wait, _time, ct);
    }
}
