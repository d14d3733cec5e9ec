using Gantry.Core.Data;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

public static class ProtectionKeyServices
{
    /// <summary>Data protection whose keys all nodes of one database share; <see cref="ProtectionKeys"/> prepares them.</summary>
    public static IServiceCollection AddSharedDataProtection(this IServiceCollection services)
    {
        // Without a name it is the program's folder, which differs from node to node.
        services.AddDataProtection().SetApplicationName("gantry");
        services.AddSingleton(of => new ProtectionKeys(
            of.GetRequiredService<IDbContextFactory<RegistryDbContext>>(), of.GetRequiredService<KeyEncryption>(),
            of.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ProtectionKeyEncryptor>();
        services.AddOptions<KeyManagementOptions>().Configure<ProtectionKeys, ProtectionKeyEncryptor>(
            (options, keys, encryptor) => (options.XmlRepository, options.XmlEncryptor) = (keys, encryptor));
        return services;
    }
}
