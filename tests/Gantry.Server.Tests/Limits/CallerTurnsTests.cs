using Gantry.Oci;
using Gantry.Server.Limits;

namespace Gantry.Server.Tests.Limits;

public sealed class CallerTurnsTests
{
    private readonly CallerTurns _turns = new();

    [Fact]
    public async Task Take_OfOneCaller_WaitsForTheOneBefore_AndNobodyElseDoes()
    {
        var first = await _turns.TakeAsync("account jane", default);
        var second = _turns.TakeAsync("account jane", default);
        using (await _turns.TakeAsync("account john", default)) Assert.False(second.IsCompleted);

        first.Dispose();
        (await second).Dispose();
    }

    [Fact]
    public async Task Take_OfTooManyAtOnce_IsRefused_UntilOneIsGone()
    {
        using var gone = new CancellationTokenSource();
        var first = await _turns.TakeAsync("account jane", default);
        List<Task<IDisposable>> waiting = [.. Enumerable.Range(1, CallerTurns.MostInLine - 1).Select(_ => _turns.TakeAsync("account jane", gone.Token))];
        var refused = await Assert.ThrowsAsync<OciException>(() => _turns.TakeAsync("account jane", default));
        Assert.Equal((OciErrorCode.TooManyRequests, 5), (refused.Code, refused.RetryAfterSeconds));

        await gone.CancelAsync();
        foreach (var one in waiting) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one);
        var next = _turns.TakeAsync("account jane", default);
        Assert.False(next.IsCompleted);
        first.Dispose();
        (await next).Dispose();
        (await _turns.TakeAsync("account jane", default)).Dispose();
    }
}
