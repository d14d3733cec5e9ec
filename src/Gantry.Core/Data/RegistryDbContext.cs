using System.Text;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Data;

/// <summary>
/// The registry's tables. Rows are read and written through EF Core; statements whose locks or plan matter are written
/// out as SQL where they are used, on the same connection.
/// </summary>
public sealed class RegistryDbContext(DbContextOptions<RegistryDbContext> options) : DbContext(options)
{
    public DbSet<NamespaceRow> Namespaces => Set<NamespaceRow>();
    public DbSet<RepositoryRow> Repositories => Set<RepositoryRow>();
    public DbSet<BlobRow> Blobs => Set<BlobRow>();
    public DbSet<BlobLinkRow> BlobLinks => Set<BlobLinkRow>();
    public DbSet<ManifestRow> Manifests => Set<ManifestRow>();
    public DbSet<ManifestReferenceRow> ManifestReferences => Set<ManifestReferenceRow>();
    public DbSet<TagRow> Tags => Set<TagRow>();
    public DbSet<UploadSessionRow> UploadSessions => Set<UploadSessionRow>();
    public DbSet<DoomedLocationRow> DoomedLocations => Set<DoomedLocationRow>();
    public DbSet<WorkCursorRow> WorkCursors => Set<WorkCursorRow>();
    public DbSet<AccountRow> Accounts => Set<AccountRow>();
    public DbSet<AccountIdentityRow> AccountIdentities => Set<AccountIdentityRow>();
    public DbSet<AccountGroupRow> AccountGroups => Set<AccountGroupRow>();
    public DbSet<MembershipRow> Memberships => Set<MembershipRow>();
    public DbSet<AccessRuleRow> AccessRules => Set<AccessRuleRow>();
    public DbSet<AccessTokenRow> AccessTokens => Set<AccessTokenRow>();
    public DbSet<TrustRow> Trusts => Set<TrustRow>();
    public DbSet<SigningKeyRow> SigningKeys => Set<SigningKeyRow>();
    public DbSet<EventRow> Events => Set<EventRow>();
    public DbSet<RepositoryStatisticsRow> RepositoryStatistics => Set<RepositoryStatisticsRow>();
    public DbSet<TagPullsRow> TagPulls => Set<TagPullsRow>();
    public DbSet<ManifestFactsRow> ManifestFacts => Set<ManifestFactsRow>();
    public DbSet<ReadmeRow> Readmes => Set<ReadmeRow>();
    public DbSet<LayerListingRow> LayerListings => Set<LayerListingRow>();
    public DbSet<LayerPageRow> LayerPages => Set<LayerPageRow>();
    public DbSet<WebhookRow> Webhooks => Set<WebhookRow>();
    public DbSet<WebhookDeliveryRow> WebhookDeliveries => Set<WebhookDeliveryRow>();
    public DbSet<StorageSampleRow> StorageSamples => Set<StorageSampleRow>();
    public DbSet<NodeRow> Nodes => Set<NodeRow>();
    public DbSet<DataProtectionKeyRow> DataProtectionKeys => Set<DataProtectionKeyRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<NamespaceRow>().ToTable("namespaces").Property(row => row.Id).UseIdentityAlwaysColumn();
        modelBuilder.Entity<RepositoryRow>().ToTable("repositories").Property(row => row.Id).UseIdentityAlwaysColumn();
        modelBuilder.Entity<BlobRow>().ToTable("blobs").HasKey(row => row.Digest);
        modelBuilder.Entity<BlobLinkRow>().ToTable("blob_links").HasKey(row => new { row.RepositoryId, row.Digest });
        modelBuilder.Entity<ManifestRow>().ToTable("manifests").HasKey(row => new { row.RepositoryId, row.Digest });
        modelBuilder.Entity<ManifestRow>().Property(row => row.Annotations).HasColumnType("json");
        modelBuilder.Entity<ManifestReferenceRow>().ToTable("manifest_references").HasNoKey();
        modelBuilder.Entity<TagRow>().ToTable("tags").HasKey(row => new { row.RepositoryId, row.Name });
        modelBuilder.Entity<UploadSessionRow>().ToTable("upload_sessions").Property(row => row.Id).ValueGeneratedNever();
        modelBuilder.Entity<DoomedLocationRow>().ToTable("doomed_locations").HasKey(row => row.Location);
        modelBuilder.Entity<WorkCursorRow>().ToTable("work_cursors").HasKey(row => row.Name);
        modelBuilder.Entity<AccountRow>().ToTable("accounts").Property(row => row.Id).UseIdentityAlwaysColumn();
        modelBuilder.Entity<AccountIdentityRow>().ToTable("account_identities").HasKey(row => new { row.Provider, row.Subject });
        modelBuilder.Entity<AccountGroupRow>().ToTable("account_groups").HasKey(row => new { row.AccountId, row.Name });
        modelBuilder.Entity<MembershipRow>().ToTable("memberships").Property(row => row.Id).UseIdentityAlwaysColumn();
        modelBuilder.Entity<AccessRuleRow>().ToTable("access_rules").Property(row => row.Id).UseIdentityAlwaysColumn();
        modelBuilder.Entity<AccessTokenRow>().ToTable("access_tokens").Property(row => row.Id).UseIdentityAlwaysColumn();
        modelBuilder.Entity<TrustRow>().ToTable("trusts").Property(row => row.Id).UseIdentityAlwaysColumn();
        modelBuilder.Entity<TrustRow>().Property(row => row.Claims).HasColumnType("jsonb");
        modelBuilder.Entity<SigningKeyRow>().ToTable("signing_keys").HasKey(row => row.Id);
        modelBuilder.Entity<EventRow>().ToTable("events").Property(row => row.Id).UseIdentityAlwaysColumn();
        modelBuilder.Entity<EventRow>().Property(row => row.Pending).HasDefaultValueSql("true").HasSentinel(true);
        modelBuilder.Entity<RepositoryStatisticsRow>().ToTable("repository_statistics").HasKey(row => row.RepositoryId);
        modelBuilder.Entity<TagPullsRow>().ToTable("tag_pulls").HasKey(row => new { row.RepositoryId, row.Name });
        modelBuilder.Entity<ManifestFactsRow>().ToTable("manifest_facts").HasKey(row => new { row.RepositoryId, row.Digest });
        modelBuilder.Entity<ReadmeRow>().ToTable("readmes").HasKey(row => row.RepositoryId);
        modelBuilder.Entity<LayerListingRow>().ToTable("layer_listings").HasKey(row => row.Digest);
        modelBuilder.Entity<LayerListingRow>().Property(row => row.Packages).HasColumnType("jsonb");
        modelBuilder.Entity<LayerPageRow>().ToTable("layer_pages").HasKey(row => new { row.Digest, row.First });
        modelBuilder.Entity<WebhookRow>().ToTable("webhooks").Property(row => row.Id).UseIdentityAlwaysColumn();
        modelBuilder.Entity<WebhookDeliveryRow>().ToTable("webhook_deliveries").Property(row => row.Id).UseIdentityAlwaysColumn();
        modelBuilder.Entity<StorageSampleRow>().ToTable("storage_samples").HasKey(row => row.At);
        modelBuilder.Entity<NodeRow>().ToTable("nodes").HasKey(row => row.Number);
        modelBuilder.Entity<DataProtectionKeyRow>().ToTable("data_protection_keys").Property(row => row.Id)
            .UseIdentityAlwaysColumn();

        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            foreach (var property in entity.GetProperties())
            {
                property.SetColumnName(SnakeCase(property.Name));
                // The database's clock sets the times (DESIGN, leases and grace periods).
                if (property.Name is "CreatedAt" or "TouchedAt" or "UpdatedAt" or "DeleteAfter" or "At")
                    property.SetDefaultValueSql("now()");
            }
        }
    }

    private static string SnakeCase(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        foreach (var c in name)
        {
            if (char.IsUpper(c) && text.Length > 0) text.Append('_');
            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }
}
