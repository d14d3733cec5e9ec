using Gantry.Core.Browse;
using Gantry.Core.Data;
using Gantry.Core.Events;
using Gantry.Core.GarbageCollection;
using Gantry.Core.Look;
using Gantry.Core.Look.Indexing;
using Gantry.Core.Pull;
using Gantry.Core.Push;
using Gantry.Core.Removal;
using Gantry.Core.Scrub;
using Gantry.Core.Webhooks;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gantry.Core;

/// <summary>Puts the flows together. They hold no state of their own, so one of each serves every request.</summary>
public static class CoreServices
{
    /// <summary>
    /// How long a connection and a statement may take where the connection string does not say it. A statement that is
    /// given up is cancelled over a connection of its own: a request that meets a hanging database has its answer
    /// after the sum of both.
    /// </summary>
    private const int ConnectSeconds = 5, StatementSeconds = 9;

    public static IServiceCollection AddGantryCore(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddSettings<PushOptions>(configuration, "Push");
        services.AddSettings<RemovalOptions>(configuration, "Removal");
        services.AddSettings<DataOptions>(configuration, "Data");
        services.AddSettings<GcOptions>(configuration, "Gc");
        services.AddSettings<ScrubOptions>(configuration, "Scrub");
        services.AddSettings<LookOptions>(configuration, "Look");

        services.AddSingleton<DatabaseAddress>();
        services.AddSingleton(provider =>
        {
            var settings = new NpgsqlConnectionStringBuilder(provider.GetRequiredService<DatabaseAddress>().ConnectionString);
            // The few statements that requests wait for are prepared once a connection.
            if (settings.MaxAutoPrepare == 0) (settings.MaxAutoPrepare, settings.AutoPrepareMinUsages) = (100, 2);
            // A database that hangs is told from one that is slow within what a client waits for; migrations wait longer.
            if (!settings.ShouldSerialize("Timeout")) settings.Timeout = ConnectSeconds;
            if (!settings.ShouldSerialize("Command Timeout")) settings.CommandTimeout = StatementSeconds;
            return NpgsqlDataSource.Create(settings);
        });
        // Not pooled: a pooled context keeps its connection object, that keeps its last command, and where a connection
        // broke under it Npgsql 10.0.0 carries the half-prepared statement over to the next one.
        services.AddDbContextFactory<RegistryDbContext>((provider, options) =>
            options.UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>()));

        services.AddSingleton<NodePresence>().AddHostedService(provider => provider.GetRequiredService<NodePresence>());
        services.AddSingleton<UploadClaims>().AddSingleton<Linking>().AddSingleton<UploadSessions>().AddSingleton<BlobCommit>().AddSingleton<BlobMount>();
        services.AddSingleton<ManifestPush>().AddSingleton<UploadExpiry>().AddSingleton<DoomedLocations>();
        services.AddSingleton<BlobPull>().AddSingleton<ManifestPull>().AddSingleton<PullCounts>();
        services.AddSingleton<ContentRemoval>().AddSingleton<ContentRestore>().AddSingleton<RestorableContent>().AddSingleton<RepositoryRemoval>();
        services.AddSingleton<ManifestReview>().AddSingleton<LinkReview>().AddSingleton<BlobReview>();
        services.AddSingleton<ScrubPace>().AddSingleton<BlobReading>().AddSingleton<StoreCheck>().AddSingleton<BlobScrub>();
        services.AddSingleton<Quarantine>();
        services.AddSingleton<Retention>().AddSingleton<OrphanSearch>().AddSingleton<Collector>().AddSingleton<AskedRun>();
        services.AddSingleton<GcPreview>().AddSingleton<GcExplanation>().AddSingleton<GcBacklog>();
        services.TryAddSingleton<AuditTrail>();
        services.AddSingleton<EventOutbox>();
        services.AddSingleton<LayerListings>().AddSingleton<IEventFollower>(provider => provider.GetRequiredService<LayerListings>());
        services.AddSingleton<LayerBlobs>().AddSingleton<LayerIndexing>().AddSingleton<LookedImages>();
        services.AddSingleton<ImageFiles>().AddSingleton<FileTexts>().AddSingleton<ImagePackages>().AddSingleton<ImageComparison>();
        services.AddWebhooks(configuration);
        services.AddSingleton<TagList>().AddSingleton<Catalog>().AddSingleton<Referrers>();
        services.AddSingleton<IEventFollower, StatisticsFollower>().AddSingleton<NewLinks>().AddSingleton<RepositoryCounting>();
        services.AddSingleton<ConfigBlobs>().AddSingleton<ManifestFacts>().AddSingleton<ManifestDetails>().AddSingleton<ReferrerTree>();
        services.AddSingleton<RepositoryListing>().AddSingleton<TagListing>().AddSingleton<TagHistory>().AddSingleton<Readmes>();
        services.AddSingleton<Usage>().AddSingleton<DeletionPreview>().AddSingleton<StorageSamples>().AddSingleton<NodeList>();
        services.AddSingleton<TagReturn>();
        return services;
    }

    /// <summary>
    /// Binds a section to its options class: a setting that does not exist is a fault like one out of its range, and the
    /// start reports all of them together.
    /// </summary>
    public static void AddSettings<TOptions>(this IServiceCollection services, IConfiguration configuration, string section)
        where TOptions : class
    {
        var binding = new SettingsBinding<TOptions>(configuration.GetSection(section));
        services.AddSingleton<IConfigureOptions<TOptions>>(binding).AddSingleton<IValidateOptions<TOptions>>(binding);
        services.AddOptions<TOptions>().ValidateOnStart();
    }
}
