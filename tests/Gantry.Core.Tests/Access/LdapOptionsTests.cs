using Gantry.Core.Access;
using Gantry.TestKit;

namespace Gantry.Core.Tests.Access;

public sealed class LdapOptionsTests
{
    [Fact]
    public void Accepts_NoLdapAtAll() => Assert.Empty(FaultsOf(new LdapOptions()));

    [Theory]
    [InlineData("ldap://127.0.0.1", false, false)]
    [InlineData("ldap://localhost:10389/", false, false)]
    [InlineData("ldap://[::1]:389", false, false)]
    [InlineData("ldap://directory.example", true, false)]
    [InlineData("ldap://directory.example", false, true)]
    [InlineData("ldaps://directory.example", false, false)]
    public void Accepts_AConnectionThatKeepsPasswords(string url, bool startTls, bool plain) =>
        Assert.Empty(FaultsOf(Valid(options => (options.Url, options.StartTls, options.AllowPlaintext) = (url, startTls, plain))));

    [Theory]
    [InlineData("http://directory.example")]
    [InlineData("directory.example")]
    [InlineData("ldaps://")]
    [InlineData("ldaps://user@directory.example")]
    [InlineData("ldaps://directory.example/dc=x??sub")]
    public void Rejects_AnotherUrl(string url) =>
        Assert.Contains("Ldap:Url must be", FaultsOf(Valid(options => options.Url = url)), StringComparison.Ordinal);

    [Fact]
    public void Rejects_PasswordsInTheClear() =>
        Assert.Contains(
            "unencrypted", FaultsOf(Valid(options => options.Url = "ldap://directory.example")), StringComparison.Ordinal);

    [Fact]
    public void Rejects_EverythingWrongAtOnce()
    {
        var faults = FaultsOf(new LdapOptions
        {
            Url = "ldaps://directory.example", StartTls = true, CaFile = "/nowhere.pem", Name = "a/b", BindDn = "cn=x",
            UserFilter = "(uid=jane)", GroupFilter = "member={0}", SubjectAttribute = "", NameAttribute = "a b",
            AdministratorGroups = [""], Timeout = TimeSpan.Zero, LoginLifetime = TimeSpan.Zero,
        });
        string[] keys =
        [
            "StartTls", "CaFile", "Name", "BindDn", "UserBase", "UserFilter", "GroupFilter", "SubjectAttribute", "NameAttribute",
            "AdministratorGroups", "Timeout", "LoginLifetime",
        ];
        Assert.All(keys, key => Assert.Contains($"Ldap:{key} ", faults, StringComparison.Ordinal));
    }

    [Fact]
    public void Rejects_SettingsWithoutAnUrl_TwoWaysToGroups_AndACaFileForNothing()
    {
        Assert.Contains("Ldap:Url is missing", FaultsOf(new LdapOptions { UserBase = "dc=x" }), StringComparison.Ordinal);
        Assert.Contains(
            "two ways", FaultsOf(Valid(options => (options.GroupBase, options.MemberOfAttribute) = ("dc=x", "memberOf"))),
            StringComparison.Ordinal);
        Assert.Contains(
            "Ldap:CaFile is for", FaultsOf(Valid(options => options.CaFile = "/nowhere.pem")), StringComparison.Ordinal);
    }

    [Fact]
    public void CaFile_MustHoldACertificate()
    {
        var folder = Directory.CreateTempSubdirectory("gantry-test-ca-");
        try
        {
            var authority = new TestAuthority(folder.FullName, "ca");
            Assert.Empty(FaultsOf(Valid(options => (options.StartTls, options.CaFile) = (true, authority.File))));

            File.WriteAllText(authority.File, "no certificate");
            Assert.Contains(
                "Ldap:CaFile holds no certificate", FaultsOf(Valid(options => (options.StartTls, options.CaFile) = (true, authority.File))),
                StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static LdapOptions Valid(Action<LdapOptions> change)
    {
        var options = new LdapOptions { Url = "ldap://127.0.0.1", UserBase = "dc=example,dc=com" };
        change(options);
        return options;
    }

    private static string FaultsOf(LdapOptions options) =>
        string.Join('\n', new LdapOptionsFaults().Validate(null, options).Failures ?? []);
}
