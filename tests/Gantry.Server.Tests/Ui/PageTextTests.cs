using Gantry.Server.Ui;
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

    [Fact]
    public void NamePrefix_FindsAllNamesWithABeginning_AndNoOther()
    {
        string[] names = ["acme", "acme-x/a", "acme.x", "acme/a", "acme/a-b", "acme/a.b", "acme/a/b", "acme/a0", "acme/a_b", "acme/b", "acmf", "b"];
        Array.Sort(names, StringComparer.Ordinal);
        foreach (var prefix in new[] { "a", "acme", "acme/", "acme/a", "acme/a-", "acme/a/b", "acmf", "zzz", "0", "A" })
        {
            var page = names.Where(name => string.CompareOrdinal(name, NamePrefix.After(null, prefix)) > 0);
            Assert.Equal(names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)), NamePrefix.Of(page, prefix));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("a b")]
    [InlineData("ä")]
    [InlineData("a\nb")]
    public void NamePrefix_OfWhatNoNameHolds_IsNone(string? typed) => Assert.Null(NamePrefix.Of(typed));
}
