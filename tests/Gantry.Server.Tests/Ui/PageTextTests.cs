using Gantry.Server.Ui.Components;

namespace Gantry.Server.Tests.Ui;

public sealed class PageTextTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.00 KiB")]
    [InlineData(10 * 1024, "10.0 KiB")]
    [InlineData(1_048_575, "1.00 MiB")]
    [InlineData(100 * 1024 * 1024, "100 MiB")]
    [InlineData(long.MaxValue, "8.00 EiB")]
    public void Size_IsInBinaryUnits(long bytes, string text) => Assert.Equal(text, Size.Text(bytes));
}
