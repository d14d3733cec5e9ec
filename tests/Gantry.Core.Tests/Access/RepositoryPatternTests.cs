using Gantry.Core.Access;
using Gantry.Oci;

namespace Gantry.Core.Tests.Access;

public sealed class RepositoryPatternTests
{
    [Theory]
    [InlineData("acme/app", "acme/app", true)]
    [InlineData("acme/app", "acme/app2", false)]
    [InlineData("acme/app", "acme/app/x", false)]
    [InlineData("acme/app", "x/acme/app", false)]
    [InlineData("acme/prod-*", "acme/prod-web", true)]
    [InlineData("acme/prod-*", "acme/prod", false)]
    [InlineData("acme/prod-*", "acme/prod-web/api", true)]
    [InlineData("acme/prod*", "acme/prod", true)]
    [InlineData("acme/*", "acme/a/b/c", true)]
    [InlineData("acme/*", "acme", false)]
    [InlineData("acme*", "acme", true)]
    [InlineData("acme*", "acme2/app", true)]
    [InlineData("*", "a", true)]
    [InlineData("*/web", "acme/prod/web", true)]
    [InlineData("*/web", "acme/web2", false)]
    [InlineData("a*b*c", "axbxc", true)]
    [InlineData("a*b*c", "axcxb", false)]
    [InlineData("a**c", "abc", true)]
    [InlineData("acme/*.*", "acme/app", false)]
    [InlineData("acme/*.*", "acme/app.v1", true)]
    [InlineData("acme/a.b", "acme/axb", false)]
    public void Matches_AsASignForAnyCharactersSays(string pattern, string repository, bool matches)
    {
        Assert.True(RepositoryPattern.TryParse(pattern, out var parsed));
        Assert.Equal(matches, parsed.Matches(RepositoryName.Parse(repository)));
        Assert.Equal(pattern, parsed.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Acme/*")]
    [InlineData("acme/?")]
    [InlineData("acme/[ab]")]
    [InlineData("acme/\\*")]
    [InlineData("acme/ app")]
    [InlineData("acme:app")]
    [InlineData("acme/äpp")]
    [InlineData("acme/*\n")]
    public void Rejects_WhatNoNameHolds(string? text) => Assert.False(RepositoryPattern.TryParse(text, out _));

    [Fact]
    public void Rejects_MoreCharactersThanANameHas()
    {
        Assert.True(RepositoryPattern.TryParse(new string('a', RepositoryName.MaxLength), out _));
        Assert.False(RepositoryPattern.TryParse(new string('a', RepositoryName.MaxLength + 1), out _));
    }

    [Fact]
    public void ManyStars_MatchALongNameWithoutTryingEveryWay()
    {
        // 100 stars and one sign that never comes: a matcher that tries every way would not end.
        Assert.True(RepositoryPattern.TryParse(string.Concat(Enumerable.Repeat("a*", 100)) + "b", out var pattern));
        Assert.False(pattern.Matches(RepositoryName.Parse(new string('a', 255))));
    }
}
