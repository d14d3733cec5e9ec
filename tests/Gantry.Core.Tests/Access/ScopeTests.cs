using Gantry.Core.Access;

namespace Gantry.Core.Tests.Access;

public sealed class ScopeTests
{
    [Theory]
    [InlineData("repository:a:pull", "repository:a:pull")]
    [InlineData("repository:a/b-c/d__e:pull,push", "repository:a/b-c/d__e:pull,push")]
    [InlineData("repository:a:push,pull,push", "repository:a:pull,push")]
    [InlineData("repository:a:*", "repository:a:pull,push,delete")]
    [InlineData("repository(plugin):a:pull", "repository:a:pull")]
    [InlineData("repository:a:pull,fly", "repository:a:pull")]
    [InlineData("registry:catalog:*", "registry:catalog:*")]
    [InlineData("registry:catalog:search,*", "registry:catalog:*")]
    public void Accepts_WhatNamesSomethingHere(string text, string meaning)
    {
        Assert.True(Scope.TryParse(text, out var scope));
        Assert.Equal(meaning, scope.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(":")]
    [InlineData("::")]
    [InlineData("repository")]
    [InlineData("repository:a")]
    [InlineData("repository:a:")]
    [InlineData("repository::pull")]
    [InlineData("repository:a:fly")]
    [InlineData("repository:A:pull")]
    [InlineData("repository:a/../b:pull")]
    [InlineData("repository:a//b:pull")]
    [InlineData("repository:mirror.example:5000/a:pull")]
    [InlineData("repository(:a:pull")]
    [InlineData("repositoryplugin:a:pull")]
    [InlineData("Repository:a:pull")]
    [InlineData("registry:catalog:pull")]
    [InlineData("registry:other:*")]
    [InlineData("user:a:pull")]
    [InlineData("repository:a\0:pull")]
    public void Rejects_EverythingElse(string text) => Assert.False(Scope.TryParse(text, out _));

    [Fact]
    public void Rejects_NameOf256Characters()
    {
        Assert.True(Scope.TryParse($"repository:{new string('a', 255)}:pull", out _));
        Assert.False(Scope.TryParse($"repository:{new string('a', 256)}:pull", out _));
        Assert.False(Scope.TryParse($"repository:{new string('a', 1 << 20)}:pull", out _));
    }

    [Fact]
    public void Request_NamingARepositoryTwice_IsTheUnion()
    {
        var request = ScopeRequest.Parse(["repository:a:pull repository:b:pull", null, "repository:a:push", " registry:catalog:* "])!;

        Assert.Equal(["a", "b"], request.Repositories.Select(entry => entry.Key.ToString()));
        Assert.Equal(RepositoryActions.Pull | RepositoryActions.Push, request.Repositories.First().Value);
        Assert.True(request.Catalog);
    }

    [Fact]
    public void Request_BeyondItsLimits_IsRefused()
    {
        Assert.NotNull(ScopeRequest.Parse(Enumerable.Repeat("repository:a:pull", ScopeRequest.MaxScopes)));
        Assert.Null(ScopeRequest.Parse(Enumerable.Repeat("repository:a:pull", ScopeRequest.MaxScopes + 1)));
        Assert.Null(ScopeRequest.Parse([new string('x', ScopeRequest.MaxCharacters + 1)]));
    }

    [Fact]
    public void Request_OfRandomText_NeverThrows()
    {
        const string alphabet = "repository:/catalog,*pull ()\0é\ud800%2F..A-_";
        var random = new Random(20261121);
        for (var i = 0; i < 20_000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(60)).Select(_ => alphabet[random.Next(alphabet.Length)])]);
            foreach (var (name, actions) in ScopeRequest.Parse([text])!.Repositories)
                Assert.True(Scope.TryParse($"repository:{name}:{Scope.Text(actions)}", out _), text);
        }
    }
}
