using System.Net;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Oci;
using Gantry.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Tests.Access;

/// <summary>Logins against Debian's slapd.</summary>
[Trait("Speed", "Slow")]
public sealed class LdapLoginTests(SlapdFixture slapd) : IClassFixture<SlapdFixture>
{
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1");
    private static readonly Actor Client = new(null, "192.0.2.1", "request-1");

    [Fact]
    public async Task RightPassword_MakesTheAccountWithItsGroups()
    {
        slapd.Server.AddPerson("jane");
        slapd.Server.AddGroup("dev", SlapdServer.PersonDn("jane"));
        slapd.Server.AddGroup("others", SlapdServer.PersonDn("somebody-else"));
        await using var parts = await StartAsync();

        var login = await LoginAsync(parts, "jane");

        Assert.Equal(new Account(login!.Account.Id, AccountName.Parse("jane")), login.Account);
        Assert.Equal(LoginMethod.Ldap, login.Method);
        Assert.Equal(parts.Time.GetUtcNow().AddDays(1), login.Expires);
        Assert.Equal("ldap/dev", await parts.ScalarAsync<string>("SELECT string_agg(name, ' ') FROM account_groups"));
        Assert.Equal(
            "Name of jane jane@example.com",
            await parts.ScalarAsync<string>("SELECT display_name || ' ' || email FROM accounts WHERE password_hash IS NULL"));
        // entryUUID, whatever it is.
        Assert.Equal(36, await parts.ScalarAsync<int>("SELECT length(subject) FROM account_identities WHERE provider = 'ldap'"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0")]
    [InlineData("\0right pässword")]
    [InlineData("right pässword\0")]
    [InlineData("wrong")]
    [InlineData("right pässwor")]
    public async Task AnotherPassword_IsRefused(string password)
    {
        var name = $"strict{(uint)password.GetHashCode(StringComparison.Ordinal)}";
        slapd.Server.AddPerson(name);
        await using var parts = await StartAsync();

        Assert.Null(await LoginAsync(parts, name, password));
        Assert.Null(Directory().Authenticate(name, password));
        Assert.Equal(0L, await parts.ScalarAsync<long>("SELECT count(*) FROM accounts"));
        Assert.NotNull(Directory().Authenticate(name, SlapdServer.Password));
    }

    [Fact]
    public void Session_WithAnEmptyPassword_NeverBinds()
    {
        using var session = LdapSession.Open(Options());
        Assert.Throws<ArgumentException>(() => session.TryBind(SlapdServer.SearchDn, ""));
        Assert.Throws<ArgumentException>(() => session.TryBind(SlapdServer.SearchDn, "\0x"));
    }

    [Theory]
    [InlineData("*")]
    [InlineData("PERSON*")]
    [InlineData("PERSON)(uid=*")]
    [InlineData("*)(sn=PERSON")]
    [InlineData("PERSON\\2a")]
    [InlineData("\\61PERSON")]
    public void Name_ThatIsAFilter_FindsNobody(string name)
    {
        var person = $"x{Guid.NewGuid():N}";
        slapd.Server.AddPerson(person);
        Assert.Null(Directory().Authenticate(name.Replace("PERSON", person, StringComparison.Ordinal), SlapdServer.Password));
        Assert.NotNull(Directory().Authenticate(person, SlapdServer.Password));
    }

    [Fact]
    public void Person_InANestedUnit_IsFound_AndOneOfTwoIsNot()
    {
        var (berlin, paris) = ($"ou=berlin,{SlapdServer.People}", $"ou=paris,{SlapdServer.People}");
        slapd.Server.AddUnit(berlin);
        slapd.Server.AddUnit(paris);
        slapd.Server.AddPerson("deep", berlin);
        Assert.Equal("deep", Directory().Authenticate("deep", SlapdServer.Password)!.Name);

        slapd.Server.AddPerson("deep", paris);
        Assert.Null(Directory().Authenticate("deep", SlapdServer.Password));
    }

    [Fact]
    public void Person_WithoutPasswordInTheDirectory_IsRefused()
    {
        slapd.Server.AddPerson("blank", password: null);
        Assert.Null(Directory().Authenticate("blank", SlapdServer.Password));
    }

    [Fact]
    public void Groups_OfAnEntryWithSignsOfAFilter_AreItsOwn()
    {
        var dn = $"cn=O*(odd) \\\\ one\\, ä,{SlapdServer.People}";
        slapd.Server.AddEntry(dn, "odd");
        slapd.Server.AddGroup("odd ones, all", dn);
        slapd.Server.AddGroup("not odd", SlapdServer.PersonDn("anybody"));

        Assert.Equal(["odd ones, all"], Directory().Authenticate("odd", SlapdServer.Password)!.Groups);
        var others = Directory(options => (options.GroupBase, options.MemberOfAttribute) = ("", "memberOf"));
        Assert.Equal(["odd ones, all"], others.Authenticate("odd", SlapdServer.Password)!.Groups);
    }

    [Fact]
    public void Groups_DecideWhoIsLetInAndWhoAdministers()
    {
        slapd.Server.AddPerson("chief");
        slapd.Server.AddPerson("guest");
        slapd.Server.AddGroup("chiefs", SlapdServer.PersonDn("chief"));
        slapd.Server.AddGroup("staff", SlapdServer.PersonDn("chief"));

        var administered = Directory(options => options.AdministratorGroups = ["no such", "Chiefs"]);
        Assert.True(administered.Authenticate("chief", SlapdServer.Password)!.IsAdministrator);
        Assert.False(administered.Authenticate("guest", SlapdServer.Password)!.IsAdministrator);
        Assert.Null(Directory().Authenticate("chief", SlapdServer.Password)!.IsAdministrator);

        var closed = Directory(options => options.AllowedGroups = ["staff"]);
        Assert.NotNull(closed.Authenticate("chief", SlapdServer.Password));
        Assert.Null(closed.Authenticate("guest", SlapdServer.Password));
    }

    [Fact]
    public async Task SearchAccount_ThatIsWrong_IsAFaultOfTheDirectoryNotOfThePerson()
    {
        slapd.Server.AddPerson("sue");
        await using var parts = await StartAsync(("Ldap:BindPassword", "wrong"));
        for (var i = 0; i < 10; i++) await AssertUnavailableAsync(parts, "sue");
        await using var anonymous = await StartAsync(("Ldap:BindDn", ""), ("Ldap:BindPassword", ""));
        // slapd shows an anonymous client nothing, and says that there is nothing.
        await AssertUnavailableAsync(anonymous, "sue");
    }

    [Fact]
    public async Task SubjectAttribute_ThatNobodyHas_IsAFaultOfTheDirectory()
    {
        slapd.Server.AddPerson("una");
        await using var parts = await StartAsync(("Ldap:SubjectAttribute", "employeeNumber"));
        await AssertUnavailableAsync(parts, "una");
    }

    [Fact]
    public async Task LocalPassword_ComesFirst_AndTheDirectoryDoesNotOpenThatAccount()
    {
        slapd.Server.AddPerson("local");
        await using var parts = await StartAsync();
        Assert.True(await parts.Get<Accounts>().CreateAsync(
            AccountName.Parse("local"), "local password", new AccountSettings(), Client));

        Assert.Equal(LoginMethod.Password, (await LoginAsync(parts, "local", "local password"))!.Method);
        Assert.Null(await LoginAsync(parts, "local"));
        Assert.Equal(1L, await parts.ScalarAsync<long>("SELECT count(*) FROM accounts"));
    }

    [Fact]
    public async Task AccountOfAnotherProvider_IsNotTakenOver()
    {
        slapd.Server.AddPerson("mona");
        await using var parts = await StartAsync();
        var other = await parts.Get<ExternalAccounts>().SignInAsync(
            new ExternalIdentity("corp", "1", "mona", null, null, [], true), LoginMethod.SingleSignOn, Client, default);

        var login = await LoginAsync(parts, "mona");

        Assert.NotEqual(other!.Account.Id, login!.Account.Id);
        Assert.Equal("mona-2", login.Account.Name.ToString());
        Assert.Equal(login, await LoginAsync(parts, "mona"));
    }

    [Fact]
    public async Task RobotsAndReservedNames_NeverGoToTheDirectory()
    {
        slapd.Server.AddPerson("robot.acme.ci");
        slapd.Server.AddPerson("oidc");
        await using var parts = await StartAsync();
        Assert.Null(await LoginAsync(parts, "robot.acme.ci"));
        Assert.Null(await LoginAsync(parts, "oidc"));
    }

    [Fact]
    public async Task DisabledAccount_StaysOut()
    {
        slapd.Server.AddPerson("dora");
        await using var parts = await StartAsync();
        Assert.NotNull(await LoginAsync(parts, "dora"));

        await parts.Get<Accounts>().SetDisabledAsync(AccountName.Parse("dora"), true, Client);

        Assert.Null(await LoginAsync(parts, "dora"));
    }

    [Fact]
    public async Task RightPassword_IsRememberedForTenMinutes_GroupsToo()
    {
        slapd.Server.AddPerson("rita");
        slapd.Server.AddGroup("rita's", SlapdServer.PersonDn("rita"));
        await using var parts = await StartAsync();
        var first = await LoginAsync(parts, "rita");
        slapd.Server.SetMembers("rita's", SlapdServer.PersonDn("nobody"));

        parts.Time.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(first, await LoginAsync(parts, "rita"));
        Assert.Equal(1L, await parts.ScalarAsync<long>("SELECT count(*) FROM account_groups"));

        parts.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.NotNull(await LoginAsync(parts, "rita"));
        Assert.Equal(0L, await parts.ScalarAsync<long>("SELECT count(*) FROM account_groups"));
    }

    [Fact]
    public async Task WrongPasswords_AreThrottled()
    {
        slapd.Server.AddPerson("theo");
        await using var parts = await StartAsync();
        for (var i = 0; i < 5; i++) Assert.Null(await LoginAsync(parts, "theo", $"wrong {i}"));

        var refused = await Assert.ThrowsAsync<OciException>(() => LoginAsync(parts, "theo"));
        Assert.Equal(OciErrorCode.TooManyRequests, refused.Code);
        parts.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(await LoginAsync(parts, "theo"));
    }

    [Fact]
    public async Task ManyAtOnce_AllComeIn()
    {
        var names = Enumerable.Range(0, 40).Select(i => $"crowd-{i}").ToArray();
        foreach (var name in names) slapd.Server.AddPerson(name);
        await using var parts = await StartAsync();
        var logins = await Task.WhenAll(names.Select(name => LoginAsync(parts, name)));
        Assert.Equal(names, logins.Select(login => login!.Account.Name.ToString()));
    }

    private static Task<LoggedIn?> LoginAsync(AccessParts parts, string name, string password = SlapdServer.Password) =>
        parts.Get<PasswordLogin>().TryLoginAsync(name, password, Here, Client);

    private static async Task AssertUnavailableAsync(AccessParts parts, string name) =>
        Assert.Equal(OciErrorCode.Unavailable, (await Assert.ThrowsAsync<OciException>(() => LoginAsync(parts, name))).Code);

    private Task<AccessParts> StartAsync(params (string Key, string Value)[] settings) => AccessParts.CreateAsync(slapd.With(settings));

    private LdapOptions Options()
    {
        var settings = slapd.Server.Settings;
        return new LdapOptions
        {
            Url = settings["Ldap:Url"], BindDn = settings["Ldap:BindDn"], BindPassword = settings["Ldap:BindPassword"],
            UserBase = settings["Ldap:UserBase"], GroupBase = settings["Ldap:GroupBase"],
        };
    }

    private LdapDirectory Directory(Action<LdapOptions>? change = null)
    {
        var options = Options();
        change?.Invoke(options);
        return new LdapDirectory(options, NullLogger.Instance);
    }
}
