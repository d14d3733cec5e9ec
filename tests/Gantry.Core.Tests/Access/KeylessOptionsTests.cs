using Gantry.Core.Access;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Tests.Access;

public sealed class KeylessOptionsTests
{
    [Fact]
    public void NoIssuer_IsTheDefault_AndASessionLastsAnHour()
    {
        var options = Read();
        Assert.Empty(options.Issuers);
        Assert.Equal(TimeSpan.FromHours(1), options.SessionLifetime);
    }

    [Theory]
    [InlineData("https://token.actions.githubusercontent.com")]
    [InlineData("https://gitlab.example:8443")]
    [InlineData("https://kubernetes.default.svc.cluster.local")]
    [InlineData("https://oidc.example/id/0123ABC/")]
    [InlineData("http://127.0.0.1:8080")]
    [InlineData("http://[::1]:8080")]
    [InlineData("http://localhost")]
    public void Accepts_Issuer(string url) =>
        Assert.Equal(url, Read(("Issuers:ci:Issuer", url), ("Issuers:ci:Algorithms:0", "ES256")).Issuers["ci"].Issuer);

    [Theory]
    [InlineData("Issuers:ci:Issuer", "", "Keyless:Issuers:ci:Issuer must be an https URL")]
    [InlineData("Issuers:ci:Issuer", "http://issuer.example", "Keyless:Issuers:ci:Issuer must be an https URL")]
    [InlineData("Issuers:ci:Issuer", "https://issuer.example/?a=b", "Keyless:Issuers:ci:Issuer must be an https URL")]
    [InlineData("Issuers:ci:Issuer", "https://user@issuer.example/", "Keyless:Issuers:ci:Issuer must be an https URL")]
    [InlineData("Issuers:ci:Issuer", "issuer.example", "Keyless:Issuers:ci:Issuer must be an https URL")]
    [InlineData("Issuers:ci:JwksUri", "http://issuer.example/keys", "Keyless:Issuers:ci:JwksUri must be an https URL")]
    [InlineData("Issuers:ci:JwksUri", "file:///etc/passwd", "Keyless:Issuers:ci:JwksUri must be an https URL")]
    [InlineData("Issuers:ci:Audience", "two words", "Keyless:Issuers:ci:Audience must be")]
    [InlineData("Issuers:ci:Algorithms:0", "HS256", "Keyless:Issuers:ci:Algorithms: 'HS256' is none of")]
    [InlineData("Issuers:ci:Algorithms:0", "none", "Keyless:Issuers:ci:Algorithms: 'none' is none of")]
    [InlineData("Issuers:ci:CaFile", "/nowhere/ca.pem", "Keyless:Issuers:ci:CaFile:")]
    [InlineData("Issuers:ci:CaFile", "/dev/null", "holds no certificate")]
    [InlineData("Issuers:ci:BearerTokenFile", "/nowhere/token", "Keyless:Issuers:ci:BearerTokenFile:")]
    [InlineData("Issuers:Two Words:Issuer", "https://two.example", "the name 'Two Words'")]
    [InlineData("Issuers:second:Issuer", "https://issuer.example", "ci and second have the same Issuer")]
    [InlineData("Issuers:ci:Secret", "x", "Keyless:Issuers:ci:Secret is not a setting")]
    [InlineData("SessionLifetime", "00:04:59", "Keyless:SessionLifetime must be")]
    [InlineData("SessionLifetime", "12:00:01", "Keyless:SessionLifetime must be")]
    public void Rejects(string key, string value, string fault) =>
        Assert.Contains(fault, string.Join('\n', FaultsOf(("Issuers:ci:Issuer", "https://issuer.example"), (key, value))));

    [Fact]
    public void Faults_AreAllNamedAtOnce()
    {
        var faults = FaultsOf(
            ("SessionLifetime", "00:00:01"), ("Issuers:a:Issuer", "x"), ("Issuers:b:Issuer", "https://b.example"), ("Issuers:b:JwksUri", "y"));
        Assert.Equal(3, faults.Count);
    }

    private static List<string> FaultsOf(params (string Key, string Value)[] settings) =>
        [.. Assert.Throws<OptionsValidationException>(() => Read(settings)).Failures];

    private static KeylessOptions Read(params (string Key, string Value)[] settings)
    {
        var values = new Dictionary<string, string?>();
        foreach (var (key, value) in settings) values[$"Keyless:{key}"] = value;
        using var services = new ServiceCollection().AddLogging()
            .AddAccessRules(new ConfigurationBuilder().AddInMemoryCollection(values).Build()).BuildServiceProvider();
        return services.GetRequiredService<IOptions<KeylessOptions>>().Value;
    }
}
