using Gantry.Core.Access;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Tests.Access;

public sealed class AccessOptionsTests
{
    [Fact]
    public void Defaults_AreValid() => Assert.True(new AccessOptionsFaults().Validate(null, new AccessOptions()).Succeeded);

    [Fact]
    public void Rejects_EachFault_AllAtOnce()
    {
        var result = new AccessOptionsFaults().Validate(null, new AccessOptions
        {
            Anonymous = (AnonymousAccess)9,
            AdminPassword = "short",
            Service = "a\"b",
            TokenLifetime = TimeSpan.FromSeconds(59),
            RefreshTokenLifetime = TimeSpan.Zero,
            SigningKeyLifetime = TimeSpan.FromMinutes(1),
            KeyEncryptionKey = "c2hvcnQ=",
            PasswordHashIterations = 1000,
            Throttle = new()
            {
                FailuresPerAccountAndAddress = 0,
                FailuresPerAddress = 0,
                FailuresPerAccount = 0,
                FirstDelay = TimeSpan.FromMinutes(2),
                LongestDelay = TimeSpan.FromSeconds(2),
                Memory = TimeSpan.FromSeconds(1),
            },
        });

        Assert.Equal(15, result.Failures!.Count());
        Assert.All(result.Failures!, fault => Assert.StartsWith("Access:", fault));
    }

    [Fact]
    public void Settings_Misspelt_AreRefused()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("Access:Anonymus", "Full")]).Build();
        using var services = new ServiceCollection().AddLogging().AddAccessRules(configuration).BuildServiceProvider();

        var e = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<AccessOptions>>().Value);
        Assert.Contains("Anonymus", e.Message);
    }
}
