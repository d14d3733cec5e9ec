using Gantry.Core.Access;

namespace Gantry.Core.Tests.Access;

public sealed class LdapTextTests
{
    [Theory]
    [InlineData("jane", "(uid=jane)")]
    [InlineData("*", "(uid=\\2a)")]
    [InlineData(")(uid=*", "(uid=\\29\\28uid=\\2a)")]
    [InlineData("a\\2a\0", "(uid=a\\5c2a\\00)")]
    [InlineData("jörg", "(uid=jörg)")]
    [InlineData("{0}", "(uid={0})")]
    public void Filter_HoldsTheValueAsAValue(string value, string expected) =>
        Assert.Equal(expected, LdapText.Filter("(uid={0})", value));

    [Theory]
    [InlineData("cn=dev,ou=groups,dc=example", "dev")]
    [InlineData("CN = Dev Ops , OU=x", "Dev Ops")]
    [InlineData("cn=a\\, b\\+c\\\\,ou=x", "a, b+c\\")]
    [InlineData("cn=J\\c3\\b6rg \\2C x,ou=x", "Jörg , x")]
    [InlineData("cn=\U0001F600+ou=y,dc=x", "\U0001F600")]
    [InlineData("cn=only", "only")]
    [InlineData("cn=,ou=x", null)]
    [InlineData("cn=#0403646576,ou=x", null)]
    [InlineData("cn=x\\", null)]
    [InlineData("nothing", null)]
    [InlineData("", null)]
    public void FirstValue_IsTheGroupsName(string dn, string? expected) => Assert.Equal(expected, LdapText.FirstValue(dn));

    [Theory]
    [InlineData("(uid={0})", true)]
    [InlineData("(&(objectClass=person)(|(uid={0})(mail={0})))", true)]
    [InlineData("uid={0}", false)]
    [InlineData("(uid=jane)", false)]
    [InlineData("((uid={0})", false)]
    [InlineData("(uid={0}))", false)]
    [InlineData("(uid={0})(cn=x)", false)]
    [InlineData("", false)]
    public void IsFilter_SeesTheForm(string filter, bool expected) => Assert.Equal(expected, LdapText.IsFilter(filter));
}
