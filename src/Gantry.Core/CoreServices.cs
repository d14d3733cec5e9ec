using Gantry.Core.Browse;
using Gantry.Core.Data;
using Gantry.Core.GarbageCollection;
using Gantry.Core.Pull;
using Gantry.Core.Push;
using Gantry.Core.Removal;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Gantry.Core;

/// <summary>Puts the flows together. They hold no state of their own, so one of each serves every request.</summary>
public static class CoreServices
{
    public static IServiceCollection AddGantryCore(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddSettings<PushOptions>(configuration, "Push");
        services.AddSettings<RemovalOptions>(configuration, "Removal");
        services.AddSettings<DataOptions>(configuration, "Data");

        services.AddSingleton<DatabaseAddress>();
        services.AddSingleton(provider =>
        {
            var settings = new NpgsqlConnectionStringBuilder(provider.GetRequiredService<DatabaseAddress>().ConnectionString);
            // The few statements that requests wait for are prepared once a connection.
            if (settings.MaxAutoPrepare == 0) (settings.MaxAutoPrepare, settings.AutoPrepareMinUsages) = (100, 2);
            return NpgsqlDataSource.Create(settings);
        });
        services.AddPooledDbContextFactory<RegistryDbContext>((provider, options) =>
            options.UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>()));

        services.AddSingleton<UploadSessions>().AddSingleton<BlobCommit>().AddSingleton<BlobMount>();
        services.AddSingleton<ManifestPush>().AddSingleton<UploadExpiry>().AddSingleton<DoomedLocations>();
        services.AddSingleton<BlobPull>().AddSingleton<ManifestPull>().AddSingleton<ContentRemoval>();
        services.AddSingleton<TagList>().AddSingleton<Catalog>().AddSingleton<Referrers>();
        return services;
    }

    /// <summary>
    /// Binds a section to its options class: a setting that does not exist is a fault like one out of its range, and the
    /// start reports all of them together.
    /// </summary>
    public static void AddSettings<TOptions>(this IServiceCollection services, IConfiguration configuration, string section)
        where TOptions : class =>
        services.AddOptions<TOptions>()
            .Bind(configuration.GetSection(section), binder => binder.ErrorOnUnknownConfiguration = true)
            .ValidateDataAnnotations()
            .ValidateOnStart();
}
