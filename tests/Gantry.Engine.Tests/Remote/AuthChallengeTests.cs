using Gantry.Engine.Remote.Access;

namespace Gantry.Engine.Tests.Remote;

public sealed class AuthChallengeTests
{
    [Fact]
    public void Parse_SeveralInOneLine_KeepsThemApart()
    {
        var all = AuthChallenge.Parse("""Basic realm="a, b", Bearer realm="https://auth/t?x=1",service="reg \"1\"", scope="repository:a:pull,push", Negotiate, Digest qop=auth""");
        Assert.Equal(["basic", "bearer", "negotiate", "digest"], all.Select(challenge => challenge.Scheme));
        Assert.Equal("a, b", all[0]["realm"]);
        Assert.Equal(("https://auth/t?x=1", "reg \"1\"", "repository:a:pull,push"), (all[1]["realm"], all[1]["service"], all[1]["scope"]));
        Assert.Equal("auth", all[3]["qop"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",,, ,")]
    [InlineData("\"")]
    [InlineData("=")]
    [InlineData("\u00e9\u0001")]
    public void Parse_Rubbish_FindsNothing(string line) => Assert.Empty(AuthChallenge.Parse(line));

    [Theory]
    [InlineData("Bearer realm=\"open")]
    [InlineData("Bearer realm=")]
    [InlineData("Bearer =x")]
    public void Parse_BrokenParameter_IsPassedOver(string line) => Assert.Null(Assert.Single(AuthChallenge.Parse(line))["realm"]);

    [Theory]
    [InlineData("""{"token":"abc","expires_in":300}""", "abc", 300)]
    [InlineData("""{"access_token":"abc"}""", "abc", 60)]
    [InlineData("""{"token":"","access_token":"abc","expires_in":-5}""", "abc", 60)]
    [InlineData("""{"token":"abc","expires_in":1e300}""", "abc", 86400)]
    public void ParseReply_Token_WithItsLife(string json, string token, int seconds) =>
        Assert.Equal(new TokenReply(token, TimeSpan.FromSeconds(seconds)), TokenReply.Parse(System.Text.Encoding.UTF8.GetBytes(json)));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"token":5}""")]
    [InlineData("""{"token":"a\r\nX-Evil: 1"}""")]
    [InlineData("""{"token":"\ud800"}""")]
    [InlineData("<html>")]
    public void ParseReply_Other_IsNone(string json) => Assert.Null(TokenReply.Parse(System.Text.Encoding.UTF8.GetBytes(json)));
}
