using Gantry.Core.Access;
using Gantry.Core.Events;

namespace Gantry.Core.Tests.Access;

[Trait("Speed", "Slow")]
public sealed class ExternalAccountsTests
{
    private static readonly Actor Client = new(null, "192.0.2.1", "request-1");
    private static readonly ExternalIdentity Jane =
        new("corp", "0001", "jane", "Jane Doe", "jane@example.com", ["dev", "ops"], IsAdministrator: null);

    [Fact]
    public async Task FirstLogin_MakesAPersonWithoutPassword()
    {
        await using var parts = await AccessParts.CreateAsync();
        var login = await SignInAsync(parts, Jane);

        Assert.Equal(new Account(login!.Account.Id, AccountName.Parse("jane")), login.Account);
        Assert.Equal(LoginMethod.SingleSignOn, login.Method);
        Assert.Equal("single sign-on: corp, subject 0001", login.Detail);
        Assert.Equal(
            "person null false false Jane Doe jane@example.com",
            await parts.ScalarAsync<string>(
                """
                SELECT concat_ws(' ', kind, coalesce(password_hash, 'null'), is_administrator::text, creates_namespaces::text,
                                 display_name, email) FROM accounts
                """));
        Assert.Equal("corp/dev corp/ops", await GroupsAsync(parts));
        Assert.Equal("account.create jane jane 192.0.2.1", await EventsAsync(parts));
        Assert.Equal("jane", await parts.ScalarAsync<string>("SELECT string_agg(account, ' ') FROM access_changes"));
    }

    [Fact]
    public async Task LaterLogin_ThatChangesNothing_WritesNothing()
    {
        await using var parts = await AccessParts.CreateAsync();
        var first = await SignInAsync(parts, Jane);
        var before = await StateAsync(parts);

        Assert.Equal(first, await SignInAsync(parts, Jane with { Name = "another", Groups = ["ops", "dev", "ops"] }));
        Assert.Equal(first, await SignInAsync(parts, Jane with { DisplayName = null, Email = null }));
        Assert.Equal(before, await StateAsync(parts));
    }

    [Fact]
    public async Task LaterLogin_ReplacesTheGroupsOfItsProviderAlone()
    {
        await using var parts = await AccessParts.CreateAsync();
        await SignInAsync(parts, Jane);
        await parts.ExecuteAsync("INSERT INTO account_groups SELECT id, unnest(ARRAY['corp2/dev', 'cor/dev', 'corp_/x']) FROM accounts");

        await SignInAsync(parts, Jane with { Groups = ["qa", "ops"] });

        Assert.Equal("cor/dev corp/ops corp/qa corp2/dev corp_/x", await GroupsAsync(parts));
        Assert.Equal("account.create jane jane 192.0.2.1, account.change jane jane 192.0.2.1", await EventsAsync(parts));
        Assert.Equal("groups, by corp", await parts.ScalarAsync<string>("SELECT detail FROM events WHERE kind = 'account.change'"));
        Assert.Equal(2L, await parts.ScalarAsync<long>("SELECT revision FROM access_revision"));
    }

    [Fact]
    public async Task LaterLogin_BringsNameAddressAndAdministratorUpToDate()
    {
        await using var parts = await AccessParts.CreateAsync();
        await SignInAsync(parts, Jane);

        var raised = await SignInAsync(parts, Jane with { DisplayName = "Jane Roe", Email = "roe@example.com", IsAdministrator = true });
        Assert.True(raised!.Account.IsAdministrator);
        Assert.Equal(
            "Jane Roe roe@example.com",
            await parts.ScalarAsync<string>("SELECT display_name || ' ' || email FROM accounts WHERE is_administrator"));
        Assert.Equal(
            "administrator, display name, e-mail address, by corp",
            await parts.ScalarAsync<string>("SELECT detail FROM events WHERE kind = 'account.change'"));

        Assert.True((await SignInAsync(parts, Jane with { IsAdministrator = null }))!.Account.IsAdministrator);
        Assert.False((await SignInAsync(parts, Jane with { IsAdministrator = false }))!.Account.IsAdministrator);
    }

    [Fact]
    public async Task FirstLogin_UnderATakenName_NeverGetsTheOtherAccount()
    {
        await using var parts = await AccessParts.CreateAsync();
        await parts.ExecuteAsync(
            "INSERT INTO accounts (name, security_stamp, is_administrator) VALUES ('jane', gen_random_uuid(), true)");

        Assert.Equal("jane-2", (await SignInAsync(parts, Jane))!.Account.Name.ToString());
        Assert.Equal("jane-3", (await SignInAsync(parts, Jane with { Subject = "0002" }))!.Account.Name.ToString());
        Assert.Equal("jane-4", (await SignInAsync(parts, Jane with { Provider = "other" }))!.Account.Name.ToString());
        Assert.Equal("jane-2", (await SignInAsync(parts, Jane))!.Account.Name.ToString());
        Assert.Equal(1L, await parts.ScalarAsync<long>("SELECT count(*) FROM accounts WHERE is_administrator"));
    }

    [Theory]
    [InlineData("Jane.Doe@example.com", "jane.doe")]
    [InlineData("Jane Doe", "jane-doe")]
    [InlineData("@example.com", "example.com")]
    [InlineData("-_.jane.", "jane")]
    [InlineData("jörg", "j-rg")]
    [InlineData("\U0001F600", "user")]
    [InlineData("", "user")]
    [InlineData("oidc", "user-oidc")]
    [InlineData("Robot.acme.ci", "user-robot.acme.ci")]
    public async Task FirstLogin_CleansTheSuggestedName(string suggestion, string expected)
    {
        await using var parts = await AccessParts.CreateAsync();
        Assert.Equal(expected, (await SignInAsync(parts, Jane with { Name = suggestion }))!.Account.Name.ToString());
    }

    [Fact]
    public async Task FirstLogin_WithALongTakenName_IsCutToFit()
    {
        await using var parts = await AccessParts.CreateAsync();
        var robot = "robot." + new string('x', 200);
        Assert.Equal(AccountName.MaxLength, (await SignInAsync(parts, Jane with { Name = robot }))!.Account.Name.ToString().Length);
        var second = await SignInAsync(parts, Jane with { Name = robot, Subject = "0002" });
        Assert.EndsWith("xx-2", second!.Account.Name.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task FirstLogins_AtOnce_MakeOneAccountAPerson()
    {
        await using var parts = await AccessParts.CreateAsync();
        await using var node = parts.AnotherNode();
        var logins = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => SignInAsync(
            i % 2 == 0 ? parts : node, Jane with { Subject = $"000{i % 3}", Name = i % 4 == 0 ? "jane" : "joan" })));

        Assert.Equal(3, logins.Select(login => login!.Account.Id).Distinct().Count());
        Assert.Equal(3L, await parts.ScalarAsync<long>("SELECT count(*) FROM accounts"));
        Assert.Equal(3L, await parts.ScalarAsync<long>("SELECT count(*) FROM events"));
    }

    [Fact]
    public async Task LaterLogins_AtOnce_ChangeItOnce()
    {
        await using var parts = await AccessParts.CreateAsync();
        await SignInAsync(parts, Jane);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SignInAsync(parts, Jane with { Groups = ["qa"] })));
        Assert.Equal(1L, await parts.ScalarAsync<long>("SELECT count(*) FROM events WHERE kind = 'account.change'"));
    }

    [Fact]
    public async Task Login_OfADisabledAccount_ReturnsNullAndChangesNothing()
    {
        await using var parts = await AccessParts.CreateAsync();
        await SignInAsync(parts, Jane);
        await parts.ExecuteAsync("UPDATE accounts SET disabled_at = now()");
        var before = await StateAsync(parts);

        Assert.Null(await SignInAsync(parts, Jane with { Groups = [], IsAdministrator = true }));
        Assert.Equal(before, await StateAsync(parts));
    }

    [Fact]
    public async Task Groups_BeyondTheBounds_AreLeftOut()
    {
        await using var parts = await AccessParts.CreateAsync();
        string[] bad = ["", "tab\tbed", "nul\0", "half \ud800", new('x', 513)];
        string[] many = [.. Enumerable.Range(0, 1200).Select(i => $"group {i:0000}"), new string('a', 512)];
        await SignInAsync(parts, Jane with { Groups = [.. bad, .. many], DisplayName = "bell\a" });

        Assert.Equal(1000L, await parts.ScalarAsync<long>("SELECT count(*) FROM account_groups"));
        Assert.Equal(1L, await parts.ScalarAsync<long>("SELECT count(*) FROM account_groups WHERE length(name) = 517"));
        Assert.Equal(1L, await parts.ScalarAsync<long>("SELECT count(*) FROM account_groups WHERE name = 'corp/group 0998'"));
        Assert.Equal(1L, await parts.ScalarAsync<long>("SELECT count(*) FROM accounts WHERE display_name IS NULL"));
    }

    [Theory]
    [InlineData("corp/x", "0001")]
    [InlineData("", "0001")]
    [InlineData("corp", "")]
    [InlineData("corp", "nul\0")]
    public async Task Login_WithoutAUsableSubject_IsRefused(string provider, string subject)
    {
        await using var parts = await AccessParts.CreateAsync();
        await Assert.ThrowsAsync<ArgumentException>(() => SignInAsync(parts, Jane with { Provider = provider, Subject = subject }));
    }

    [Fact]
    public async Task NewAccountsCreateNamespaces_HoldsForNewAccountsAlone()
    {
        await using var parts = await AccessParts.CreateAsync();
        Assert.False((await SignInAsync(parts, Jane))!.Account.CreatesNamespaces);

        await using var generous = parts.AnotherNode(("Access:NewAccountsCreateNamespaces", "true"));
        Assert.False((await SignInAsync(generous, Jane))!.Account.CreatesNamespaces);
        Assert.True((await SignInAsync(generous, Jane with { Subject = "0002" }))!.Account.CreatesNamespaces);
    }

    private static Task<LoggedIn?> SignInAsync(AccessParts parts, ExternalIdentity identity) =>
        parts.Get<ExternalAccounts>().SignInAsync(identity, LoginMethod.SingleSignOn, Client, CancellationToken.None);

    private static Task<string> GroupsAsync(AccessParts parts) =>
        parts.ScalarAsync<string>("SELECT coalesce(string_agg(name, ' ' ORDER BY name), '') FROM account_groups");

    private static Task<string> EventsAsync(AccessParts parts) =>
        parts.ScalarAsync<string>(
            "SELECT string_agg(concat_ws(' ', kind, subject, account, address), ', ' ORDER BY id) FROM events");

    // Each version of each row that a login may write.
    private static Task<string> StateAsync(AccessParts parts) =>
        parts.ScalarAsync<string>(
            """
            SELECT string_agg(x, ' ' ORDER BY x) FROM (
                SELECT 'a' || xmin || ctid FROM accounts UNION ALL SELECT 'g' || xmin || ctid FROM account_groups
                UNION ALL SELECT 'e' || xmin || ctid FROM events UNION ALL SELECT 'r' || xmin || ctid FROM access_revision) all_rows (x)
            """);
}
