using Gantry.Core.Access;
using Gantry.Oci;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Tests.Access;

public sealed class AccessPolicyTests
{
    private static readonly RepositoryName Repository = RepositoryName.Parse("any/thing");
    private static readonly Account Jane = new(AccountName.Parse("jane"), IsAdministrator: false);
    private static readonly Account Admin = new(AccountName.Parse("admin"), IsAdministrator: true);

    [Theory]
    [InlineData(AnonymousAccess.None, RepositoryActions.None, RepositoryActions.Pull | RepositoryActions.Push)]
    [InlineData(AnonymousAccess.Pull, RepositoryActions.Pull, RepositoryActions.Pull | RepositoryActions.Push)]
    [InlineData(AnonymousAccess.Full, RepositoryActions.All, RepositoryActions.All)]
    public void Decide_GivesWhatTheIssueSays(AnonymousAccess anonymous, RepositoryActions nobody, RepositoryActions account)
    {
        var policy = new AccessPolicy(Options.Create(new AccessOptions { Anonymous = anonymous }));

        Assert.Equal(nobody, policy.CallerFor(null).ActionsOn(Repository));
        Assert.Equal(account, policy.CallerFor(Jane).ActionsOn(Repository));
        Assert.Equal(RepositoryActions.All, policy.CallerFor(Admin).ActionsOn(Repository));
        Assert.Equal(anonymous != AnonymousAccess.None, policy.CallerFor(null).MayListCatalog);
        Assert.True(policy.CallerFor(Jane).MayListCatalog);
        Assert.Equal("jane", policy.CallerFor(Jane).Account);
        Assert.Null(policy.CallerFor(null).Account);
    }
}
