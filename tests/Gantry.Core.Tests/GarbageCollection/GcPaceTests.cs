using Gantry.Core.GarbageCollection;
using Gantry.TestKit;

namespace Gantry.Core.Tests.GarbageCollection;

public sealed class GcPaceTests
{
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(1, 10, 9)]
    [InlineData(10, 100, 90)]
    [InlineData(10, 1000, 1990)]
    public void End_RestsForTheRateOrForTheShare_WhicheverIsLonger(int milliseconds, int things, int rest)
    {
        var pace = new GcPace(new GcOptions { MaxPerSecond = 500, MaxShare = 0.1 }, _time);
        // 10 things in 1 ms: the share asks for 9 ms, the rate for 19.
        var expected = Math.Max(rest, things * 2 - milliseconds);
        Assert.Equal(TimeSpan.FromMilliseconds(expected), Batch(pace, milliseconds, things));
    }

    [Fact]
    public void End_WhenTheDatabaseIsLoaded_RestsAsMuchLonger()
    {
        var pace = new GcPace(new GcOptions { MaxPerSecond = 100_000, MaxShare = 0.1 }, _time);
        Assert.Equal(TimeSpan.FromMilliseconds(90), Batch(pace, 10, 50));
        Assert.Equal(TimeSpan.FromMilliseconds(900), Batch(pace, 100, 50));
        Assert.Equal(TimeSpan.FromSeconds(9), Batch(pace, 1000, 50));
        Assert.Equal(TimeSpan.FromSeconds(10), Batch(pace, 5000, 50));
    }

    [Fact]
    public void End_WithoutAShareOrARateToKeep_RestsNot()
    {
        var pace = new GcPace(new GcOptions { MaxPerSecond = 100_000, MaxShare = 1 }, _time);
        Assert.True(Batch(pace, 20, 50) <= TimeSpan.Zero);
    }

    [Fact]
    public void BatchSize_FollowsHowLongABatchTakes()
    {
        var pace = new GcPace(new GcOptions(), _time);
        var sizes = new List<int> { pace.BatchSize };
        foreach (var milliseconds in (int[])[1, 1, 1, 300, 300, 100, 500, 500, 1])
        {
            Batch(pace, milliseconds, pace.BatchSize);
            sizes.Add(pace.BatchSize);
        }

        Assert.Equal([200, 400, 500, 500, 250, 125, 125, 100, 100, 200], sizes);
    }

    [Fact]
    public void BatchSize_AfterATimeout_IsHalfOfIt_HoweverSmall()
    {
        var pace = new GcPace(new GcOptions(), _time);
        var sizes = new List<int>();
        for (var round = 0; round < 9; round++)
        {
            pace.Begin();
            _time.Advance(TimeSpan.FromSeconds(9));
            pace.Shrink();
            pace.End(0);
            sizes.Add(pace.BatchSize);
        }

        Assert.Equal([100, 50, 25, 12, 6, 3, 1, 1, 1], sizes);
        Batch(pace, 1000, 1);
        Assert.Equal(1, pace.BatchSize);
        Batch(pace, 1, 1);
        Assert.Equal(2, pace.BatchSize);
    }

    [Fact]
    public void BatchSize_DoesNotGrowForWhatIsNotThere_NorPastTheRate()
    {
        var pace = new GcPace(new GcOptions(), _time);
        Batch(pace, 1, 199);
        Assert.Equal(200, pace.BatchSize);

        var slow = new GcPace(new GcOptions { MaxPerSecond = 5 }, _time);
        Assert.Equal(5, slow.BatchSize);
        foreach (var milliseconds in (int[])[1, 500, 500])
        {
            Batch(slow, milliseconds, 5);
            Assert.InRange(slow.BatchSize, 1, 5);
        }
    }

    private TimeSpan Batch(GcPace pace, int milliseconds, int things)
    {
        pace.Begin();
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        return pace.End(things);
    }
}
