using Gantry.Storage.S3;

namespace Gantry.Storage.Tests.S3;

public sealed class PartScheduleTests
{
    private const long MiB = 1 << 20;

    [Theory]
    [InlineData(0, 8)]
    [InlineData(999, 8)]
    [InlineData(1000, 16)]
    [InlineData(1999, 16)]
    [InlineData(2000, 32)]
    [InlineData(3000, 64)]
    [InlineData(9999, 64)]
    public void BytesOf_DoublesEveryThousandParts_Up_ToTheLargest(int index, int size) =>
        Assert.Equal(size * MiB, new PartSchedule(8 * MiB, equal: false).BytesOf(index));

    [Theory]
    [InlineData(8, false, 504_000)]
    [InlineData(16, false, 560_000)]
    [InlineData(64, false, 640_000)]
    [InlineData(8, true, 80_000)]
    [InlineData(64, true, 640_000)]
    public void MaxBlobBytes_IsTheSumOfTenThousandParts(int first, bool equal, long sum)
    {
        var schedule = new PartSchedule(first * MiB, equal);
        Assert.Equal(sum * MiB, schedule.MaxBlobBytes);
        Assert.Equal(schedule.MaxBlobBytes, Enumerable.Range(0, PartSchedule.MaxParts).Sum(schedule.BytesOf));
    }

    [Fact]
    public void BytesOf_EqualParts_NeverChanges() =>
        Assert.All(Enumerable.Range(0, 100), n => Assert.Equal(8 * MiB, new PartSchedule(8 * MiB, equal: true).BytesOf(n * 100)));
}
