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
    public void Rejects_129Characters()
    {
        Assert.True(AccountName.TryParse(new string('a', 128), out _));
        Assert.False(AccountName.TryParse(new string('a', 129), out _));
    }

    [Theory]
    [InlineData("oidc", true)]
    [InlineData("robot.acme.ci", true)]
    [InlineData("robot.", true)]
    [InlineData("robot", false)]
    [InlineData("robots.acme.ci", false)]
    [InlineData("oidc2", false)]
    public void Reserved_AreThoseOfRobotsAndKeylessLogins(string text, bool reserved) =>
        Assert.Equal(reserved, AccountName.Parse(text).IsReserved);

    [Theory]
    [InlineData("acme", "ci", "robot.acme.ci")]
    [InlineData("a.b", "ci-2_x", "robot.a.b.ci-2_x")]
    public void Robot_IsNamedByItsNamespaceAndItsOwnName(string ns, string name, string robot)
    {
        Assert.Equal(ns, AccountName.Parse(robot).Home);
        Assert.True(AccountName.TryForRobot(NamespaceName.Parse(ns), name, out var made));
        Assert.Equal(robot, made.ToString());
        Assert.True(made.IsReserved);
    }

    [Theory]
    [InlineData("acme", "b.c")] // or robot c of acme.b
    [InlineData("acme", "")]
    [InlineData("acme", null)]
    [InlineData("acme", "-x")]
    [InlineData("acme", "a b")]
    [InlineData("acme", "X")]
    public void Robot_WithAnyOtherName_IsNone(string ns, string? name) => Assert.False(AccountName.TryForRobot(NamespaceName.Parse(ns), name, out _));

    [Fact]
    public void Robot_WhoseWholeNameIsTooLong_IsNone()
    {
        Assert.True(AccountName.TryForRobot(NamespaceName.Parse(new string('n', 128 - 6 - 3)), "ci", out _));
        Assert.False(AccountName.TryForRobot(NamespaceName.Parse(new string('n', 128 - 6 - 2)), "ci", out _));
    }
}
