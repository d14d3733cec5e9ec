using System.Text.Json;
using Gantry.Core.Access;

namespace Gantry.Core.Tests.Access;

public sealed class ClaimRulesTests
{
    private const string Claims = """
        {
          "sub": "repo:acme/app:ref:refs/heads/main", "repository": "acme/app", "empty": "", "number": 42, "float": 1.50,
          "yes": true, "nothing": null, "groups": ["acme/devs", "acme/release", 7], "none": [], "object": {"a": "b"},
          "kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": "build"}, "pod": "x"}, "kubernetes.io.pod": "whole",
          "kubernetes": {"io": {"namespace": "shadow", "node": "n1"}}, "https://claims.example/team": "blue"
        }
        """;

    [Theory]
    [InlineData("repository", "acme/app", true)]
    [InlineData("repository", "acme/*", true)]
    [InlineData("repository", "*/app", true)]
    [InlineData("repository", "a*e/a*p", true)]
    [InlineData("repository", "acme/app*", true)]
    [InlineData("repository", "*acme/app*", true)]
    [InlineData("repository", "*", true)]
    [InlineData("repository", "acme", false)]
    [InlineData("repository", "acme/ap", false)]
    [InlineData("repository", "acme/", false)]
    [InlineData("repository", "cme/app", false)]
    [InlineData("repository", "Acme/app", false)]
    [InlineData("repository", "acme/ap?", false)]
    [InlineData("repository", "acme/.*", false)]
    [InlineData("repository", "acme\\/app", false)]
    [InlineData("repository", "acme/app*app", false)]
    [InlineData("repository", "*pp*app", false)]
    [InlineData("sub", "repo:acme/app:*", true)]
    [InlineData("sub", "repo:acme/*:ref:refs/heads/main", true)]
    [InlineData("sub", "repo:acme/*:refs/heads/*:ref:*", false)]
    [InlineData("empty", "*", true)]
    [InlineData("empty", "x*", false)]
    [InlineData("number", "42", true)]
    [InlineData("number", "4*", true)]
    [InlineData("number", "42.0", false)]
    [InlineData("float", "1.50", true)]
    [InlineData("float", "1.5", false)]
    [InlineData("yes", "true", true)]
    [InlineData("yes", "True", false)]
    [InlineData("nothing", "*", false)]
    [InlineData("nothing", "null", false)]
    [InlineData("missing", "*", false)]
    [InlineData("groups", "acme/release", true)]
    [InlineData("groups", "acme/*", true)]
    [InlineData("groups", "acme", false)]
    [InlineData("groups", "7", false)]
    [InlineData("none", "*", false)]
    [InlineData("object", "*", false)]
    [InlineData("object.a", "b", true)]
    [InlineData("kubernetes.io.namespace", "ci", true)]
    [InlineData("kubernetes.io.namespace", "shadow", false)]
    [InlineData("kubernetes.io.node", "n1", true)]
    [InlineData("kubernetes.io.serviceaccount.name", "build", true)]
    [InlineData("kubernetes.io.pod", "whole", true)]
    [InlineData("kubernetes.io.pod", "x", false)]
    [InlineData("kubernetes.io", "*", false)]
    [InlineData("repository.length", "*", false)]
    [InlineData("groups.0", "acme/devs", false)]
    [InlineData("https://claims.example/team", "blue", true)]
    [InlineData(".sub", "*", false)]
    [InlineData("sub.", "*", false)]
    public void Claim_MatchesItsPattern(string name, string pattern, bool matches)
    {
        // With one that matches beside it, since a star alone is refused.
        var rules = Parse(("sub", "repo:*"), ("repository", "acme/*"), (name, pattern));
        Assert.Equal(matches ? null : name, rules.Mismatch(JsonDocument.Parse(Claims).RootElement));
    }

    [Fact]
    public void Claims_MustAllMatch()
    {
        var claims = JsonDocument.Parse(Claims).RootElement;
        Assert.Null(Parse(("repository", "acme/app"), ("yes", "true"), ("groups", "acme/devs")).Mismatch(claims));
        Assert.Equal("groups", Parse(("repository", "acme/app"), ("yes", "true"), ("groups", "acme/ops")).Mismatch(claims));
    }

    [Fact]
    public void Pattern_WithManyStars_OnALongValue_IsQuick()
    {
        var pattern = string.Concat(Enumerable.Repeat("a*", 255)) + "b";
        var claims = JsonDocument.Parse($$"""{"sub":"{{new string('a', 12_000)}}"}""").RootElement;
        Assert.Equal("sub", Parse(("sub", pattern)).Mismatch(claims));
    }

    [Theory]
    [InlineData("{}", "1 to 16 claims")]
    [InlineData("""{"sub":""}""", "1 to 512 characters")]
    [InlineData("""{"":"x"}""", "name")]
    [InlineData("""{"a.b.c.d.e.f.g.h.i.j":"x"}""", "8 dots")]
    [InlineData("""{"sub":"a\nb"}""", "characters")]
    [InlineData("""{"sub":"*"}""", "trust everybody")]
    [InlineData("""{"sub":"***"}""", "trust everybody")]
    [InlineData("""{"repository":"*"}""", "trust everybody")]
    [InlineData("""{"repository":"*","sub":"*","ref":"**"}""", "trust everybody")]
    [InlineData("""{"aud":"gantry"}""", "trust everybody")]
    [InlineData("""{"iss":"https://token.actions.githubusercontent.com","aud":"gantry","sub":"*"}""", "trust everybody")]
    public void Rejects_WhatTrustsEverybodyOrIsNone(string json, string fault)
    {
        Assert.False(ClaimRules.TryParse(JsonSerializer.Deserialize<Dictionary<string, string>>(json)!, out _, out var said));
        Assert.Contains(fault, said);
    }

    [Theory]
    [InlineData("""{"repository":"acme/*"}""")]
    [InlineData("""{"repository":"acme/*","sub":"*"}""")]
    [InlineData("""{"sub":"system:serviceaccount:ci:build","aud":"gantry"}""")]
    public void Accepts_WhatNamesSomebody(string json) =>
        Assert.True(ClaimRules.TryParse(JsonSerializer.Deserialize<Dictionary<string, string>>(json)!, out _, out _));

    [Fact]
    public void Rejects_TooManyAndTooLong()
    {
        Assert.False(ClaimRules.TryParse(Enumerable.Range(0, 17).ToDictionary(i => $"c{i}", _ => "x"), out _, out _));
        Assert.False(ClaimRules.TryParse(new Dictionary<string, string> { ["sub"] = new string('x', 513) }, out _, out _));
        Assert.False(ClaimRules.TryParse(new Dictionary<string, string> { [new string('x', 129)] = "x" }, out _, out _));
    }

    private static ClaimRules Parse(params (string Name, string Pattern)[] claims)
    {
        var patterns = new Dictionary<string, string>();
        foreach (var (name, pattern) in claims) patterns[name] = pattern;
        Assert.True(ClaimRules.TryParse(patterns, out var rules, out var fault), fault);
        return rules;
    }
}
