using Gantry.Core.Access;

namespace Gantry.Core.Tests.Access;

public sealed class RecentlyUsedTests
{
    [Fact]
    public void Full_ForgetsWhatWasUsedLeastRecently()
    {
        var recent = new RecentlyUsed<int, string>(3);
        for (var i = 1; i <= 3; i++) recent.Set(i, $"{i}");
        Assert.True(recent.TryGet(1, out _));

        recent.Set(4, "4");

        Assert.Equal([true, false, true, true], Enumerable.Range(1, 4).Select(i => recent.TryGet(i, out _)));
        Assert.Equal(3, recent.Count);
    }

    [Fact]
    public void Weights_CountInsteadOfEntries()
    {
        var recent = new RecentlyUsed<int, string>(10, text => text.Length);
        recent.Set(1, "four");
        recent.Set(2, "four");
        recent.Set(1, "two");
        recent.Set(3, "six");
        Assert.Equal(3, recent.Count);

        recent.Set(4, "x");
        Assert.Equal([true, false, true, true], Enumerable.Range(1, 4).Select(i => recent.TryGet(i, out _)));

        recent.Set(5, "more than all");
        Assert.Equal(0, recent.Count);
    }

    [Fact]
    public void Keys_WithoutEnd_DoNotMakeItGrow()
    {
        var recent = new RecentlyUsed<int, int>(100);
        Parallel.For(0, 100_000, i =>
        {
            recent.Set(i, i);
            recent.GetOrAdd(i / 2, () => i);
            recent.Remove(i - 7);
        });
        Assert.InRange(recent.Count, 1, 100);
    }
}
