using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Core.Limits;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

public static class AccessServices
{
    /// <summary>
    /// Accounts, tokens and rules, without anything of HTTP: what <c>admin reset-password</c> needs too. Wants an
    /// <c>IDbContextFactory&lt;RegistryDbContext&gt;</c>, and logging.
    /// </summary>
    public static IServiceCollection AddAccessRules(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<AccessOptions>(configuration, AccessOptions.Section);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<AccessOptions>, AccessOptionsFaults>());
        services.AddSettings<LdapOptions>(configuration, LdapOptions.Section);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<LdapOptions>, LdapOptionsFaults>());
        services.AddSettings<KeylessOptions>(configuration, KeylessOptions.Section);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<AuditTrail>();
        services.AddSettings<LimitsOptions>(configuration, "Limits");
        services.AddSingleton<RequestLimits>();
        services.AddSingleton<AccessPolicy>();
        services.AddSingleton<AccessChanges>();
        services.AddSingleton<AccessWriting>();
        services.AddSingleton<NewRepositories>();
        services.AddSingleton<Namespaces>().AddSingleton<Members>().AddSingleton<AccessRules>().AddSingleton<Robots>();
        services.AddSingleton<OwnRoles>();
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<AccessExplanation>();
        services.TryAddSingleton<AuditListing>();
        services.AddSingleton<LoginRenewal>();
        services.AddSingleton<AccessTokenLogin>();
        services.AddSingleton<IssuerTokens>();
        services.AddSingleton<Trusts>();
        services.AddSingleton(of => new KeylessLogin(
            of.GetRequiredService<IssuerTokens>(), of.GetRequiredService<IDbContextFactory<RegistryDbContext>>(),
            of.GetRequiredService<IOptions<KeylessOptions>>(), of.GetRequiredService<TimeProvider>(),
            of.GetRequiredService<ILogger<KeylessLogin>>()));
        services.AddSingleton<Logins>();
        services.AddSettings<SingleSignOnOptions>(configuration, SingleSignOnOptions.Section);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<SingleSignOnOptions>, SingleSignOnFaults>(
            _ => new SingleSignOnFaults(configuration["Ldap:Name"] ?? new LdapOptions().Name)));
        services.AddSingleton<SingleSignOn>();
        services.AddSingleton<PasswordHashing>();
        services.AddSingleton<Accounts>();
        services.AddSingleton<ExternalAccounts>();
        services.AddSingleton<LdapLogin>();
        services.AddSingleton<LoginThrottle>();
        services.AddSingleton<PasswordLogin>();
        services.AddSingleton<KeyEncryption>();
        services.AddSingleton(of => new SigningKeys(
            of.GetRequiredService<IDbContextFactory<RegistryDbContext>>(), of.GetRequiredService<KeyEncryption>(),
            of.GetRequiredService<IOptions<AccessOptions>>(), of.GetRequiredService<TimeProvider>(),
            of.GetRequiredService<ILogger<SigningKeys>>()));
        services.AddSingleton<SignedTokens>();
        services.AddSingleton(of => new BearerTokens(
            of.GetRequiredService<SignedTokens>(), of.GetRequiredService<AccessPolicy>(),
            of.GetRequiredService<LoginRenewal>(), of.GetRequiredService<AccessChanges>(),
            of.GetRequiredService<IOptions<AccessOptions>>(), of.GetRequiredService<TimeProvider>()));
        services.AddSingleton(of => new RefreshTokens(
            of.GetRequiredService<SignedTokens>(), of.GetRequiredService<LoginRenewal>(),
            of.GetRequiredService<IOptions<AccessOptions>>(), of.GetRequiredService<TimeProvider>()));
        services.AddSingleton<AdminBootstrap>();
        services.AddSingleton<AccessStartup>();
        services.AddHostedService<SigningKeyRotation>();
        services.AddHostedService<AccessChangeFeed>();
        services.AddHostedService<AccessTokenUseWriter>();
        services.AddHostedService<IssuerKeyRefresh>();
        return services;
    }
}
