using Gantry.Core.Access;
using Gantry.Core.Data;
using Gantry.Oci;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Tests.Access;

/// <summary>The policy alone; what it makes of whole requests is shown by the decision table of the server's tests.</summary>
public sealed class AccessPolicyTests
{
    private const RepositoryActions None = RepositoryActions.None, Pull = RepositoryActions.Pull, All = RepositoryActions.All;
    private const RepositoryActions PullPush = RepositoryActions.Pull | RepositoryActions.Push;

    private static readonly RepositoryName Prod = RepositoryName.Parse("acme/prod-web");
    private static readonly Account Jane = new(1, AccountName.Parse("jane"));
    private static readonly Account Maker = new(2, AccountName.Parse("maker"), CreatesNamespaces: true);
    private static readonly Account Admin = new(3, AccountName.Parse("admin"), IsAdministrator: true);
    private static readonly NamespaceFacts Missing = NamespaceFacts.Missing("acme");

    [Theory]
    [InlineData(AnonymousAccess.None, None, None, Pull)]
    [InlineData(AnonymousAccess.Pull, None, Pull, Pull)]
    [InlineData(AnonymousAccess.Full, All, All, All)]
    public void Decide_ForStrangers_GivesWhatVisibilityAndAnonymousAccessSay(
        AnonymousAccess anonymous, RepositoryActions closed, RepositoryActions nobodyInPublic, RepositoryActions janeInPublic)
    {
        var policy = Policy(anonymous);
        foreach (var facts in new[] { Missing, Facts(Visibility.Private) })
        {
            Assert.Equal(closed, policy.Decide(null, Prod, facts).Granted);
            Assert.Equal(closed, policy.Decide(Jane, Prod, facts).Granted);
            Assert.Equal(All, policy.Decide(Admin, Prod, facts).Granted);
        }

        Assert.Equal(nobodyInPublic, policy.Decide(null, Prod, Facts(Visibility.Public)).Granted);
        Assert.Equal(janeInPublic, policy.Decide(Jane, Prod, Facts(Visibility.Public)).Granted);
        Assert.Equal(anonymous != AnonymousAccess.None, policy.CallerFor(null).MayListCatalog);
        Assert.Equal(anonymous != AnonymousAccess.None, policy.AllowsAnonymous);
        Assert.True(policy.MayListCatalog(Jane));
    }

    [Theory]
    [InlineData(NamespaceRole.Reader, Pull)]
    [InlineData(NamespaceRole.Writer, PullPush)]
    [InlineData(NamespaceRole.Maintainer, All)]
    public void Decide_ForMembers_GivesWhatTheRoleSays_WhereverItComesFrom(NamespaceRole role, RepositoryActions granted)
    {
        foreach (var visibility in Enum.GetValues<Visibility>())
        {
            Assert.Equal(granted, Policy().Decide(Jane, Prod, Facts(visibility, [new(role, null)])).Granted);
            Assert.Equal(granted, Policy().Decide(Jane, Prod, Facts(visibility, [new(role, "corp/team")])).Granted);
        }
    }

    [Fact]
    public void Decide_WithSeveralRoles_TakesTheStrongest()
    {
        var facts = Facts(Visibility.Private,
            [new(NamespaceRole.Reader, null), new(NamespaceRole.Maintainer, "corp/leads"), new(NamespaceRole.Writer, "corp/team")]);

        var decision = Policy().Decide(Jane, Prod, facts);

        Assert.Equal(All, decision.Granted);
        Assert.Equal("role maintainer in acme through the group corp/leads", decision.Rule);
    }

    [Fact]
    public void Decide_InAMissingNamespace_GivesPushToWhoMayMakeIt_AndNobodyElse()
    {
        Assert.Equal(PullPush, Policy().Decide(Maker, Prod, Missing).Granted);
        Assert.Equal(None, Policy().Decide(Jane, Prod, Missing).Granted);
        Assert.Equal(None, Policy().Decide(Maker, Prod, Facts(Visibility.Private)).Granted);
        Assert.Equal(Pull, Policy().Decide(Maker, Prod, Facts(Visibility.Public)).Granted);
    }

    [Theory]
    [InlineData("acme/prod-*", RuleAudience.Writer, RepositoryActions.Push, Pull)]
    [InlineData("acme/prod-*", RuleAudience.Writer, RepositoryActions.Pull, RepositoryActions.Push)]
    [InlineData("acme/prod-*", RuleAudience.Writer | RuleAudience.Reader, All, None)]
    [InlineData("acme/prod-*", RuleAudience.Writer, RepositoryActions.Delete, PullPush)]
    [InlineData("acme/prod-*", RuleAudience.Maintainer | RuleAudience.Reader | RuleAudience.Public, All, PullPush)]
    [InlineData("acme/dev-*", RuleAudience.Writer, All, PullPush)]
    [InlineData("*", RuleAudience.Writer, RepositoryActions.Push, Pull)]
    public void Decide_WithARule_TakesAwayFromItsAudienceAlone(
        string pattern, RuleAudience audience, RepositoryActions denied, RepositoryActions left)
    {
        var facts = Facts(Visibility.Private, [new(NamespaceRole.Writer, null)], Rule(1, pattern, audience, denied));
        Assert.Equal(left, Policy().Decide(Jane, Prod, facts).Granted);
        Assert.Equal(All, Policy().Decide(Admin, Prod, facts).Granted);
    }

    [Fact]
    public void Decide_WithSeveralRules_AppliesThemAll_AndNamesThoseThatTookSomething()
    {
        var facts = Facts(Visibility.Private, [new(NamespaceRole.Maintainer, null)],
            Rule(4, "acme/*", RuleAudience.Maintainer, RepositoryActions.Delete),
            Rule(5, "acme/prod-*", RuleAudience.Maintainer, RepositoryActions.Delete),
            Rule(6, "acme/prod-*", RuleAudience.Maintainer, RepositoryActions.Push));

        var decision = Policy().Decide(Jane, Prod, facts);

        Assert.Equal(Pull, decision.Granted);
        Assert.Equal(
            "role maintainer in acme; rule 4: maintainer may not delete acme/*; rule 6: maintainer may not push acme/prod-*",
            decision.Rule);
        Assert.Equal(
            [
                "person jane", "namespace acme is private", "role maintainer in acme: pull,push,delete",
                "rule 4: maintainer may not delete acme/*: left is pull,push",
                "rule 6: maintainer may not push acme/prod-*: left is pull",
            ], decision.Path);
    }

    [Fact]
    public void Decide_ForMembersOfAPublicNamespace_TakesAwayOnlyWhatBothWaysLose()
    {
        var closedToPublic = Rule(1, "acme/*", RuleAudience.Public, RepositoryActions.Pull);
        var closedToReaders = Rule(2, "acme/*", RuleAudience.Reader, RepositoryActions.Pull);
        RoleGrant[] reader = [new(NamespaceRole.Reader, null)];

        Assert.Equal(Pull, Policy().Decide(Jane, Prod, Facts(Visibility.Public, reader, closedToPublic)).Granted);
        Assert.Equal(Pull, Policy().Decide(Jane, Prod, Facts(Visibility.Public, reader, closedToReaders)).Granted);
        Assert.Equal(None, Policy().Decide(Jane, Prod, Facts(Visibility.Public, reader, closedToPublic, closedToReaders)).Granted);
        Assert.Equal(None, Policy().Decide(Jane, Prod, Facts(Visibility.Public, [], closedToPublic)).Granted);
    }

    [Theory]
    [InlineData(AnonymousAccess.None)]
    [InlineData(AnonymousAccess.Pull)]
    public void Decide_TellsAStrangerTheSame_WhateverThereIs(AnonymousAccess anonymous)
    {
        NamespaceFacts[] there =
        [
            Missing, Facts(Visibility.Private), Facts(Visibility.Private, [], Rule(1, "*", RuleAudience.Public, All)),
            Facts(Visibility.Public, [], Rule(1, "acme/prod-*", RuleAudience.Public, RepositoryActions.Pull)),
        ];
        foreach (var account in new[] { null, Jane })
            Assert.Single(there.Select(facts => Policy(anonymous).Decide(account, Prod, facts).Rule).Distinct());
    }

    [Fact]
    public void Within_KeepsTheRightsThatBothGive_AndNamesTheLimitOnlyWhereItTookSomething()
    {
        var decision = Policy().Decide(Jane, Prod, Facts(Visibility.Private, [new(NamespaceRole.Writer, null)]));

        Assert.Same(decision, decision.Within(All, "limited"));
        Assert.Equal((Pull, "role writer in acme; limited"), (decision.Within(Pull, "limited").Granted, decision.Within(Pull, "limited").Rule));
        Assert.Equal(None, decision.Within(RepositoryActions.Delete, "limited").Granted);
    }

    [Fact]
    public void Within_WhatDoesNotHoldPull_TellsTheLimitAlone_WhateverTheAccountMay()
    {
        foreach (var facts in new[] { Missing, Facts(Visibility.Private), Facts(Visibility.Private, [new(NamespaceRole.Writer, null)]) })
        {
            Assert.Equal("limited", Policy().Decide(Jane, Prod, facts).Within(None, "limited").Rule);
            Assert.Equal("limited", Policy().Decide(Jane, Prod, facts).Within(RepositoryActions.Push, "limited").Rule);
        }
    }

    private static AccessPolicy Policy(AnonymousAccess anonymous = AnonymousAccess.Pull) =>
        new(new NoDatabase(), Options.Create(new AccessOptions { Anonymous = anonymous }));

    private static NamespaceFacts Facts(Visibility visibility, RoleGrant[]? roles = null, params AccessRule[] rules) =>
        new("acme", 7, visibility, roles ?? [], rules);

    private static AccessRule Rule(long id, string pattern, RuleAudience audience, RepositoryActions denied) =>
        RepositoryPattern.TryParse(pattern, out var parsed) ? new(id, parsed, audience, denied) : throw new ArgumentException(pattern);

    private sealed class NoDatabase : IDbContextFactory<RegistryDbContext>
    {
        public RegistryDbContext CreateDbContext() => throw new InvalidOperationException("the policy itself asks no database");
    }
}
