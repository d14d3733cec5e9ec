using Gantry.Core.Access;
using Gantry.Oci;

namespace Gantry.Core.Tests.Access;

public sealed class AccessLimitTests
{
    [Theory]
    [InlineData("repository:acme/*:pull", "acme/app", RepositoryActions.Pull)]
    [InlineData("repository:acme/*:pull", "other/app", RepositoryActions.None)]
    [InlineData("repository:acme/app:pull,push", "acme/app", RepositoryActions.Pull | RepositoryActions.Push)]
    [InlineData("repository:acme/app:pull,push", "acme/app2", RepositoryActions.None)]
    [InlineData("repository:acme/app:*", "acme/app", RepositoryActions.All)]
    [InlineData("repository:*:pull", "acme/app", RepositoryActions.Pull)]
    [InlineData("repository:acme/*:pull repository:acme/ci-*:push", "acme/ci-1", RepositoryActions.Pull | RepositoryActions.Push)]
    [InlineData("repository:acme/*:pull repository:acme/ci-*:push", "acme/app", RepositoryActions.Pull)]
    [InlineData("api:*", "acme/app", RepositoryActions.None)]
    [InlineData("api:* repository:acme/*:delete", "acme/app", RepositoryActions.Delete)]
    [InlineData("repository:acme/*:pull *", "other/app", RepositoryActions.All)]
    public void Of_GivesWhatTheMatchingScopesHoldTogether(string scopes, string repository, RepositoryActions actions) =>
        Assert.Equal(actions, AccessLimit.Parse(scopes.Split(' ')).Of(RepositoryName.Parse(repository)));

    [Theory]
    [InlineData("*", true)]
    [InlineData("api:*", true)]
    [InlineData("repository:acme/*:pull api:*", true)]
    [InlineData("repository:*:*", false)]
    public void Api_IsForThoseThatSaySo(string scopes, bool api) => Assert.Equal(api, AccessLimit.Parse(scopes.Split(' ')).Api);

    [Fact]
    public void Everything_IsOneAndTheSame()
    {
        Assert.Same(AccessLimit.Everything, AccessLimit.Parse(["*"]));
        Assert.True(AccessLimit.Parse(["*", "api:*"]).IsEverything);
        Assert.False(AccessLimit.Parse(["repository:*:*"]).IsEverything);
        Assert.Equal(["repository:acme/*:pull", "api:*"], AccessLimit.Parse(["repository:acme/*:pull", "api:*"]).Scopes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("**")]
    [InlineData("api")]
    [InlineData("api:pull")]
    [InlineData("repository")]
    [InlineData("repository:acme/app")]
    [InlineData("repository:acme/app:")]
    [InlineData("repository:acme/app:fly")]
    [InlineData("repository:acme/app:pull,fly")]
    [InlineData("repository:acme/app:pull,")]
    [InlineData("repository::pull")]
    [InlineData("repository:ACME/*:pull")]
    [InlineData("repository:acme/?:pull")]
    [InlineData("repository:acme:5000/app:pull")]
    [InlineData("registry:catalog:*")]
    public void Rejects_EverythingElse_AndSaysWhich(string scope)
    {
        Assert.False(AccessLimit.TryParse(["repository:acme/*:pull", scope], out _, out var fault));
        Assert.StartsWith($"'{scope}' is not a scope", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_NoneAndTooMany()
    {
        Assert.False(AccessLimit.TryParse([], out _, out _));
        Assert.True(AccessLimit.TryParse([.. Enumerable.Repeat("repository:a:pull", AccessLimit.MaxScopes)], out _, out _));
        Assert.False(AccessLimit.TryParse([.. Enumerable.Repeat("repository:a:pull", AccessLimit.MaxScopes + 1)], out _, out _));
    }
}
