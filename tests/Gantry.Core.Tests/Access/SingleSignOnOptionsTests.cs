using Gantry.Core.Access;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Tests.Access;

public sealed class SingleSignOnOptionsTests
{
    [Fact]
    public void NoProvider_IsValid() => Assert.Empty(FaultsOf(new SingleSignOnOptions()));

    [Theory]
    [InlineData("https://login.example.com")]
    [InlineData("https://login.example.com/realms/company/")]
    [InlineData("http://127.0.0.1:8080")]
    [InlineData("http://localhost/")]
    [InlineData("http://[::1]:80/x")]
    public void Accepts_Issuer(string issuer) => Assert.Empty(FaultsOf(With("company-2", Sound(issuer))));

    [Theory]
    [InlineData("")]
    [InlineData("login.example.com")]
    [InlineData("http://login.example.com")]
    [InlineData("https://login.example.com/?tenant=a")]
    [InlineData("https://login.example.com/#a")]
    [InlineData("https://me@login.example.com/")]
    [InlineData("file:///etc/issuer")]
    public void Rejects_Issuer(string issuer) =>
        Assert.StartsWith("SingleSignOn:Providers:company:Issuer ", Assert.Single(FaultsOf(With("company", Sound(issuer)))));

    [Theory]
    [InlineData("Company")]
    [InlineData("-company")]
    [InlineData("com.pany")]
    [InlineData("com/pany")]
    [InlineData("com_pany")]
    [InlineData("ldap")]
    [InlineData("a23456789012345678901234567890123")]
    public void Rejects_Name(string name) =>
        Assert.StartsWith($"SingleSignOn:Providers:{name}: ", Assert.Single(FaultsOf(With(name, Sound("https://a.example")))));

    [Fact]
    public void Rejects_EachFaultOfEachProvider_AllAtOnce_WithoutASecret()
    {
        var options = With("first", new SignOnProviderOptions
        {
            ClientSecret = "the-secret", Scopes = "profile", NameClaim = "", GroupsClaim = "", AdministratorGroups = [""],
            AllowedGroups = [" "], CaFile = "/no/such/file.pem",
        });
        options.Providers["second"] = new SignOnProviderOptions { Issuer = "https://a.example" };

        var faults = FaultsOf(options);
        Assert.Equal(
            ["Issuer", "ClientId", "Scopes", "NameClaim", "GroupsClaim", "AdministratorGroups", "AllowedGroups", "CaFile", "ClientId"],
            faults.Select(fault => fault.Split(':')[3].Split(' ')[0]));
        Assert.DoesNotContain(faults, fault => fault.Contains("the-secret", StringComparison.Ordinal));
    }

    [Fact]
    public void CaFile_WithoutACertificate_IsAFault()
    {
        var file = Path.GetTempFileName();
        try
        {
            var provider = Sound("https://a.example");
            provider.CaFile = file;
            Assert.EndsWith("holds no certificate in PEM.", Assert.Single(FaultsOf(With("company", provider))));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Section_IsReadByName_AndAnUnknownSettingIsAFault()
    {
        using var services = Services("Issuer", "https://a.example", "AllowedGroups:0", "staff");
        var provider = Assert.Single(services.GetRequiredService<IOptions<SingleSignOnOptions>>().Value.Providers);
        Assert.Equal(("company", "https://a.example", "openid profile email"), (provider.Key, provider.Value.Issuer, provider.Value.Scopes));
        Assert.Equal(["staff"], provider.Value.AllowedGroups);

        using var wrong = Services("Issuer", "https://a.example", "Isuer", "b");
        var fault = Assert.Throws<OptionsValidationException>(() => wrong.GetRequiredService<IOptions<SingleSignOnOptions>>().Value);
        Assert.Contains("SingleSignOn:Providers:company:Isuer is not a setting", fault.Failures);
    }

    private static ServiceProvider Services(params string[] pairs)
    {
        var settings = pairs.Chunk(2).Append(["ClientId", "gantry"])
            .ToDictionary(pair => $"SingleSignOn:Providers:company:{pair[0]}", pair => (string?)pair[1]);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        return new ServiceCollection().AddLogging().AddAccessRules(configuration).BuildServiceProvider();
    }

    private static SignOnProviderOptions Sound(string issuer) => new() { Issuer = issuer, ClientId = "gantry" };

    private static SingleSignOnOptions With(string name, SignOnProviderOptions provider) =>
        new() { Providers = new Dictionary<string, SignOnProviderOptions> { [name] = provider } };

    private static List<string> FaultsOf(SingleSignOnOptions options) =>
        [.. new SingleSignOnFaults("ldap").Validate(null, options).Failures ?? []];
}
