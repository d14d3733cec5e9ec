using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Core.Tests.Access;

/// <summary>
/// Bearer tokens and what is changed after they were issued. Nothing hears of changes by itself here: each node knows what it
/// was told by <see cref="AccessChanges.RefreshAsync"/>, and its clock stands still.
/// </summary>
[Trait("Speed", "Slow")]
public sealed class RevocationTests : IAsyncLifetime
{
    private const RepositoryActions None = RepositoryActions.None, Pull = RepositoryActions.Pull;
    private const RepositoryActions PullPush = RepositoryActions.Pull | RepositoryActions.Push;

    private static readonly RepositoryName Repository = RepositoryName.Parse("acme/app");

    private AccessParts _here = null!;
    private AccessParts _there = null!;

    // jane is a writer of the private namespace acme; both nodes know it.
    public async ValueTask InitializeAsync()
    {
        _here = await AccessParts.CreateAsync();
        _there = _here.AnotherNode();
        await _here.CreateAccountAsync("jane", "correct horse");
        await _here.AddNamespaceAsync("acme");
        await _here.AddNamespaceAsync("other");
        await _here.SetRoleAsync("acme", "jane", NamespaceRole.Writer);
        await HearAsync(_there);
    }

    public async ValueTask DisposeAsync()
    {
        await _there.DisposeAsync();
        await _here.DisposeAsync();
    }

    [Fact]
    public async Task Token_WhereNothingChangedSince_CostsNoStatement()
    {
        var token = await IssueAsync();
        await using (var third = _here.AnotherNode())
        {
            // Of other accounts and namespaces.
            await third.AddNamespaceAsync("other", Visibility.Public);
            await third.CreateAccountAsync("john", "john's horse");
        }

        await HearAsync(_here);
        Assert.Equal(PullPush, await GrantedAsync(_here, token)); // reads the signing keys
        var before = _here.Statements.Count;
        for (var i = 0; i < 100; i++) Assert.Equal(PullPush, await GrantedAsync(_here, token));

        Assert.Equal(before, _here.Statements.Count);
    }

    [Fact]
    public async Task Token_OfADisabledAccount_IsRefusedAtOnce_AndOnTheNodeThatHearsOfIt()
    {
        var token = await IssueAsync();
        Assert.Equal(PullPush, await GrantedAsync(_here, token));
        Assert.Equal(PullPush, await GrantedAsync(_there, token));

        await _here.SetDisabledAsync("jane");
        for (var i = 0; i < 3; i++) Assert.Null(await VerifyAsync(_here, token));

        await HearAsync(_there);
        for (var i = 0; i < 3; i++) Assert.Null(await VerifyAsync(_there, token));
        await using var third = _here.AnotherNode(); // heard nothing yet, so it asks
        Assert.Null(await VerifyAsync(third, token));
    }

    [Fact]
    public async Task Token_OfAnAccountThatWasEnabledAgain_Works_UntilItExpires()
    {
        var token = await IssueAsync();
        await _here.SetDisabledAsync("jane");
        Assert.Null(await VerifyAsync(_here, token));

        await _here.SetDisabledAsync("jane", disabled: false);

        Assert.Equal(PullPush, await GrantedAsync(_here, token));
    }

    [Fact]
    public async Task Token_OfADeletedAccount_IsNotThatOfItsNamesake()
    {
        var token = await IssueAsync();
        Assert.True(await _here.Get<Accounts>().DeleteAsync(AccountName.Parse("jane"), Actor.Console));
        Assert.Null(await VerifyAsync(_here, token));

        await _here.CreateAccountAsync("jane", "another horse");
        await _here.SetRoleAsync("acme", "jane", NamespaceRole.Maintainer);

        Assert.Null(await VerifyAsync(_here, token));
    }

    [Fact]
    public async Task Token_OlderThanAChangeOfRole_HoldsWhatBothGive()
    {
        var token = await IssueAsync("repository:acme/app:pull,push,delete");

        await _here.SetRoleAsync("acme", "jane", NamespaceRole.Reader);
        Assert.Equal(Pull, await GrantedAsync(_here, token));
        await _here.SetRoleAsync("acme", "jane", null);
        Assert.Equal(None, await GrantedAsync(_here, token));
        await _here.SetRoleAsync("acme", "jane", NamespaceRole.Maintainer);
        Assert.Equal(PullPush, await GrantedAsync(_here, token)); // a writer's, when it was issued

        await _here.AddRuleAsync("acme", "acme/a*", RuleAudience.Maintainer, RepositoryActions.Push);
        Assert.Equal(Pull, await GrantedAsync(_here, token));
    }

    [Fact]
    public async Task Token_OlderThanAChange_IsLookedUpOnceAndNotAtEachRequest()
    {
        var token = await IssueAsync();
        await _here.AddRuleAsync("acme", "acme/prod-*", RuleAudience.Writer, RepositoryActions.Push);
        Assert.Equal(PullPush, await GrantedAsync(_here, token));

        var before = _here.Statements.Count;
        for (var i = 0; i < 100; i++) Assert.Equal(PullPush, await GrantedAsync(_here, token));

        Assert.Equal(before, _here.Statements.Count);
    }

    [Fact]
    public async Task Token_IssuedAfterAChange_IsNotLookedUp()
    {
        await _here.SetRoleAsync("acme", "jane", NamespaceRole.Reader);
        var token = await IssueAsync();

        var before = _here.Statements.Count;
        Assert.Equal(Pull, await GrantedAsync(_here, token));

        Assert.Equal(before, _here.Statements.Count);
    }

    [Fact]
    public async Task Token_OfANodeThatIsBehind_IsLookedUpByOneThatIsNot()
    {
        await _here.SetRoleAsync("acme", "jane", NamespaceRole.Reader);

        // The node beside has not heard of it, but reads the roles anew for each token.
        var token = (await _there.Get<BearerTokens>().IssueAsync(await _there.LoginAsync("jane"), Request())).Token.Text;
        await _here.SetRoleAsync("acme", "jane", null);

        Assert.Equal(Pull, await GrantedAsync(_there, token));
        Assert.Equal(None, await GrantedAsync(_here, token));
    }

    [Fact]
    public async Task Token_WhereTheDatabaseWasNotHeardFrom_IsDecidedByTheDatabase()
    {
        var token = await IssueAsync();
        // Behind everybody's back: only who asks the database can know.
        await _here.ExecuteAsync("UPDATE memberships SET role = 'reader'");
        Assert.Equal(PullPush, await GrantedAsync(_here, token));

        _here.Time.Advance(AccessChanges.StaleAfter);
        Assert.Equal(Pull, await GrantedAsync(_here, token));
        await _here.ExecuteAsync("UPDATE accounts SET disabled_at = now()");
        Assert.Null(await VerifyAsync(_here, token));
        await _here.ExecuteAsync("UPDATE accounts SET disabled_at = NULL");
        Assert.Equal(Pull, await GrantedAsync(_here, token));
    }

    [Fact]
    public async Task Token_OfNobody_EndsWhereTheNamespaceIsNotPublicAnyMore()
    {
        await _here.AddNamespaceAsync("acme", Visibility.Public);
        var token = (await _here.Get<BearerTokens>().IssueAsync(null, Request())).Token.Text;
        Assert.Equal(Pull, await GrantedAsync(_here, token));

        await _here.AddNamespaceAsync("acme");

        Assert.Equal(None, await GrantedAsync(_here, token));
    }

    [Fact]
    public async Task Token_OfAGroupsMember_FollowsTheGroup()
    {
        await _here.CreateAccountAsync("john", null);
        await _here.SetGroupsAsync("john", "corp/team", "corp/all");
        await _here.AddGroupRoleAsync("acme", "corp/team", NamespaceRole.Writer);
        var token = await IssueAsync(name: "john");
        Assert.Equal(PullPush, await GrantedAsync(_here, token));

        await _here.AddGroupRoleAsync("acme", "corp/team", NamespaceRole.Reader);
        Assert.Equal(Pull, await GrantedAsync(_here, token));
        await _here.SetGroupsAsync("john", "corp/all");
        Assert.Equal(None, await GrantedAsync(_here, token));
    }

    [Fact]
    public async Task AccessToken_Revoked_EndsWhatWasMadeFromIt_AndNothingElse()
    {
        var (revoked, kept) = (await _here.CreateAccessTokenAsync("jane"), await _here.CreateAccessTokenAsync("jane"));
        var logins = _here.Get<AccessTokenLogin>();
        var (one, other) = ((await logins.TryLoginAsync("jane", revoked))!, (await logins.TryLoginAsync("jane", kept))!);
        var (bearer, refresh) = (await IssueAsync(one), (await _here.Get<RefreshTokens>().IssueAsync(one)).Text);
        var (otherBearer, otherRefresh) = (await IssueAsync(other), (await _here.Get<RefreshTokens>().IssueAsync(other)).Text);
        var own = await IssueAsync();
        Assert.Equal(PullPush, await GrantedAsync(_here, bearer));

        await _here.RevokeAccessTokenAsync("jane", revoked);

        for (var i = 0; i < 2; i++) Assert.Null(await VerifyAsync(_here, bearer));
        Assert.Null(await _here.Get<RefreshTokens>().RedeemAsync(refresh));
        Assert.Null(await logins.TryLoginAsync("jane", revoked));
        Assert.Equal(PullPush, await GrantedAsync(_here, otherBearer));
        Assert.NotNull(await _here.Get<RefreshTokens>().RedeemAsync(otherRefresh));
        Assert.Equal(PullPush, await GrantedAsync(_here, own));
    }

    [Fact]
    public async Task Token_MadeFromALimitedAccessToken_StaysLimited_AlsoWhereItIsLookedUpAgain()
    {
        var text = await _here.CreateAccessTokenAsync("jane", ["repository:acme/*:pull"], _here.Time.GetUtcNow().AddYears(1));
        var login = (await _here.Get<AccessTokenLogin>().TryLoginAsync("jane", text))!;
        var token = await IssueAsync(login);
        Assert.Equal(Pull, await GrantedAsync(_here, token));

        await _here.SetRoleAsync("acme", "jane", NamespaceRole.Maintainer);
        var caller = (await VerifyAsync(_here, token))!;

        Assert.Equal(Pull, (await caller.DecideAsync(Repository)).Granted);
        Assert.Equal(Pull, (await caller.PolicyAsync(Repository)).Granted);
        var reach = await caller.ReachAsync();
        Assert.Equal(None, (await reach.Decider.DecideAsync(RepositoryName.Parse("other/app"))).Granted);
    }

    private static Task HearAsync(AccessParts node) => node.Get<AccessChanges>().RefreshAsync();

    private static ScopeRequest Request(string scope = "repository:acme/app:pull,push") => ScopeRequest.Parse([scope])!;

    private async Task<string> IssueAsync(string scope = "repository:acme/app:pull,push", string name = "jane") =>
        (await _here.Get<BearerTokens>().IssueAsync(await _here.LoginAsync(name), Request(scope))).Token.Text;

    private async Task<string> IssueAsync(LoggedIn login) =>
        (await _here.Get<BearerTokens>().IssueAsync(login, Request())).Token.Text;

    private static ValueTask<ExplainedCaller?> VerifyAsync(AccessParts node, string token) => node.Get<BearerTokens>().VerifyAsync(token);

    private static async Task<RepositoryActions> GrantedAsync(AccessParts node, string token) =>
        (await (await VerifyAsync(node, token))!.DecideAsync(Repository)).Granted;
}
