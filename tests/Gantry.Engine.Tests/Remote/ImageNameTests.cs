using System.Text.RegularExpressions;
using Gantry.Engine.Remote;
using Gantry.Oci;

namespace Gantry.Engine.Tests.Remote;

public sealed partial class ImageNameTests
{
    private const string Sha = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("debian", "docker.io", "library/debian", "latest", "debian:latest")]
    [InlineData("debian:12-slim", "docker.io", "library/debian", "12-slim", "debian:12-slim")]
    [InlineData("grafana/grafana", "docker.io", "grafana/grafana", "latest", "grafana/grafana:latest")]
    [InlineData("library/debian", "docker.io", "library/debian", "latest", "debian:latest")]
    [InlineData("library/a/b", "docker.io", "library/a/b", "latest", "library/a/b:latest")]
    [InlineData("docker.io/debian", "docker.io", "library/debian", "latest", "debian:latest")]
    [InlineData("index.docker.io/library/debian:1", "docker.io", "library/debian", "1", "debian:1")]
    [InlineData("registry-1.docker.io/a/b", "docker.io", "a/b", "latest", "a/b:latest")]
    [InlineData("ghcr.io/owner/app:V1.0", "ghcr.io", "owner/app", "V1.0", "ghcr.io/owner/app:V1.0")]
    [InlineData("GHCR.io/owner/app", "ghcr.io", "owner/app", "latest", "ghcr.io/owner/app:latest")]
    [InlineData("Localhost/app", "localhost", "app", "latest", "localhost/app:latest")]
    [InlineData("localhost/app", "localhost", "app", "latest", "localhost/app:latest")]
    [InlineData("localhost:5000/a/b/c:x", "localhost:5000", "a/b/c", "x", "localhost:5000/a/b/c:x")]
    [InlineData("[::1]:5000/app", "[::1]:5000", "app", "latest", "[::1]:5000/app:latest")]
    [InlineData("10.0.0.1/app", "10.0.0.1", "app", "latest", "10.0.0.1/app:latest")]
    [InlineData("host:5000/app", "host:5000", "app", "latest", "host:5000/app:latest")]
    public void Accepts_Name(string text, string host, string repository, string tag, string shown)
    {
        Assert.True(ImageName.TryParse(text, out var name));
        Assert.Equal((host, repository, tag, shown), (name.Host, name.Repository.ToString(), name.Tag.ToString(), name.ToString()));
        Assert.Equal(name, ImageName.Parse(name.ToString()));
        Assert.Equal(name, ImageName.Parse(name.Canonical));
    }

    [Fact]
    [Trait("Pull", "B92")]
    public void Parse_WithTagAndDigest_DigestDecides()
    {
        var name = ImageName.Parse($"debian:12@{Sha}");
        Assert.Equal(("12", Sha, Sha), (name.Tag.ToString(), name.Digest.ToString(), name.Reference.ToString()));
        Assert.Equal($"debian:12@{Sha}", name.ToString());
    }

    [Fact]
    public void Parse_WithDigestAlone_HasNoTag()
    {
        var name = ImageName.Parse($"quay.io/a/b@{Sha}");
        Assert.Null(name.Tag);
        Assert.Equal($"quay.io/a/b@{Sha}", name.ToString());
        Assert.Equal("quay.io/a/b:x", name.At(TagName.Parse("x")).ToString());
    }

    [Theory]
    [Trait("Pull", "C86")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("/app")]
    [InlineData("app/")]
    [InlineData("a//b")]
    [InlineData("Debian")]
    [InlineData("Registry/app")]
    [InlineData("ghcr.io/Owner/app")]
    [InlineData("ghcr.io/../app")]
    [InlineData("app:")]
    [InlineData("app:-x")]
    [InlineData("app@md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("app@sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("app@sha256:../../x")]
    [InlineData("app@")]
    [InlineData("https://ghcr.io/owner/app")]
    [InlineData("user@host/app")]
    [InlineData("host:99999/app")]
    [InlineData("host:/app")]
    [InlineData("ho st.io/app")]
    [InlineData("host.io?x/app")]
    [InlineData("-host.io/app")]
    [InlineData("[::1/app")]
    [InlineData("a\u0000b")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    public void Rejects_Name(string? text)
    {
        Assert.False(ImageName.TryParse(text, out _));
        Assert.Equal(EngineFault.Usage, Assert.Throws<EngineException>(() => ImageName.Parse(text)).Fault);
    }

    [Fact]
    public void Parse_WithControlCharacters_ShowsThemEscaped()
    {
        var failed = Assert.Throws<EngineException>(() => ImageName.Parse("a\u001b[2Jb"));
        Assert.Contains("\\u001b[2J", failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', failed.Message);
    }

    [Fact]
    public void TryParseHost_AnyText_TakesLabelsOrAnAddressAndAPort()
    {
        const string Alphabet = "a0.-:[]";
        foreach (var length in Enumerable.Range(0, 7))
        {
            for (var number = 0; number < Math.Pow(Alphabet.Length, length); number++)
            {
                var rest = number;
                var text = string.Concat(Enumerable.Range(0, length).Select(_ => { var letter = Alphabet[rest % Alphabet.Length]; rest /= Alphabet.Length; return letter; }));
                var isHost = Host().IsMatch(text) && Uri.TryCreate($"https://{text}/", UriKind.Absolute, out var uri) && uri.Port > 0;
                Assert.True(isHost == ImageName.TryParseHost(text, out _), text);
            }
        }
    }

    [GeneratedRegex(@"\A([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Host();
}
