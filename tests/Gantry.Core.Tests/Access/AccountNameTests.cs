using Gantry.Core.Access;

namespace Gantry.Core.Tests.Access;

public sealed class AccountNameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("admin")]
    [InlineData("0ops")]
    [InlineData("jane.doe-2_x")]
    public void Accepts_LowercaseNames(string text) => Assert.Equal(text, AccountName.Parse(text).ToString());

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData(".a")]
    [InlineData("Admin")]
    [InlineData("a b")]
    [InlineData("a:b")]
    [InlineData("a/b")]
    [InlineData("a\n")]
    [InlineData("ä")]
    [InlineData("<token>")]
    public void Rejects_EverythingElse(string? text) => Assert.False(AccountName.TryParse(text, out _));

    [Fact]
    public void Rejects_SixtyFiveCharacters()
    {
        Assert.True(AccountName.TryParse(new string('a', 64), out _));
        Assert.False(AccountName.TryParse(new string('a', 65), out _));
    }
}
