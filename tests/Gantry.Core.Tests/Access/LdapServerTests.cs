using System.DirectoryServices.Protocols;
using System.Net;
using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Oci;
using Gantry.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gantry.Core.Tests.Access;

/// <summary>The way to the directory: who it is, and what happens while it is away. A server for each test.</summary>
public sealed class LdapServerTests
{
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1");
    private static readonly Actor Client = new(null, "192.0.2.1", "request-1");

    [Fact]
    public async Task Certificate_OfAnotherAuthority_OrForAnotherName_IsRefusedBeforeThePasswordIsSent()
    {
        await using var slapd = await WithJaneAsync();
        var (ca, another) = (slapd.Authority.File, slapd.AnotherAuthority.File);
        foreach (var url in new[] { slapd.Url, slapd.TlsUrl })
        {
            Assert.Equal("jane", Directory(slapd, url, ca).Authenticate("jane", SlapdServer.Password)!.Name);
            Assert.Null(Directory(slapd, url, ca).Authenticate("jane", "wrong"));
            Refused(url, another);
            Refused(url, caFile: "");
            Refused(SlapdServer.Misnamed(url), ca);
            Assert.NotNull(Directory(slapd, url, ca).Authenticate("jane", SlapdServer.Password));
        }

        Assert.NotNull(Directory(slapd, SlapdServer.Misnamed(slapd.Url), null).Authenticate("jane", SlapdServer.Password));

        void Refused(string url, string caFile)
        {
            var directory = Directory(slapd, url, caFile);
            Assert.ThrowsAny<DirectoryException>(() => directory.Authenticate("jane", SlapdServer.Password));
        }
    }

    [Fact]
    public async Task Directory_ThatIsGone_RefusesItsPeopleAlone_AndCountsAsNoFailure()
    {
        await using var slapd = await WithJaneAsync();
        await using var parts = await StartAsync(slapd);
        var logins = parts.Get<PasswordLogin>();
        await slapd.StopAsync();

        for (var i = 0; i < 20; i++) await AssertUnavailableAsync(() => logins.TryLoginAsync("jane", SlapdServer.Password, Here));
        Assert.NotNull(await logins.TryLoginAsync("local", "local password", Here));

        await slapd.RunAsync();
        Assert.NotNull(await logins.TryLoginAsync("jane", SlapdServer.Password, Here));
    }

    [Theory]
    [Trait("Speed", "Slow")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Directory_ThatHangs_IsGivenUp(bool startTls)
    {
        await using var slapd = await WithJaneAsync();
        await using var parts = await StartAsync(
            slapd, ("Ldap:Timeout", "00:00:01"), ("Ldap:StartTls", startTls ? "true" : "false"),
            ("Ldap:CaFile", startTls ? slapd.Authority.File : ""));
        var logins = parts.Get<PasswordLogin>();
        Assert.NotNull(await logins.TryLoginAsync("local", "local password", Here));

        slapd.Freeze();
        try
        {
            // More than may ask at a time.
            await Task.WhenAll(Enumerable.Range(0, 20).Select(
                i => AssertUnavailableAsync(() => logins.TryLoginAsync($"jane{i}", SlapdServer.Password, Here))));
            Assert.NotNull(await logins.TryLoginAsync("local", "local password", Here));
        }
        finally
        {
            slapd.Freeze(false);
        }

        Assert.NotNull(await logins.TryLoginAsync("jane", SlapdServer.Password, Here));
    }

    [Fact]
    public async Task Referral_IsNotFollowed()
    {
        await using var slapd = await WithJaneAsync();
        await using var elsewhere = await WithJaneAsync();
        slapd.AddReferral($"ou=abroad,{SlapdServer.People}", $"{elsewhere.Url}/{SlapdServer.People}");
        slapd.Remove(SlapdServer.PersonDn("jane"));

        Assert.Null(Directory(slapd, slapd.Url, null).Authenticate("jane", SlapdServer.Password));
        var abroad = Directory(slapd, slapd.Url, null, $"ou=abroad,{SlapdServer.People}");
        Assert.Throws<InvalidDataException>(() => abroad.Authenticate("jane", SlapdServer.Password));
    }

    private static async Task AssertUnavailableAsync(Func<Task> login) =>
        Assert.Equal(OciErrorCode.Unavailable, (await Assert.ThrowsAsync<OciException>(login)).Code);

    private static async Task<SlapdServer> WithJaneAsync()
    {
        var slapd = await SlapdServer.StartAsync();
        slapd.AddPerson("jane");
        return slapd;
    }

    private static async Task<AccessParts> StartAsync(SlapdServer slapd, params (string Key, string Value)[] settings)
    {
        var parts = await AccessParts.CreateAsync([.. slapd.Settings.Select(pair => (pair.Key, pair.Value)), .. settings]);
        Assert.True(await parts.Get<Accounts>().CreateAsync(
            AccountName.Parse("local"), "local password", new AccountSettings(), Client));
        return parts;
    }

    // Without a file it trusts what the system does; null: it is not encrypted.
    private static LdapDirectory Directory(SlapdServer slapd, string url, string? caFile, string below = SlapdServer.People)
    {
        var options = new LdapOptions
        {
            Url = url, CaFile = caFile ?? "", UserBase = below,
            StartTls = caFile is not null && !url.StartsWith("ldaps", StringComparison.Ordinal),
            BindDn = slapd.Settings["Ldap:BindDn"], BindPassword = slapd.Settings["Ldap:BindPassword"],
        };
        return new LdapDirectory(options, NullLogger.Instance);
    }
}
