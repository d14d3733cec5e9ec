using System.Text;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Data;

/// <summary>
/// The registry's tables. Rows are read and written through EF Core; statements whose locks or plan matter are written
/// out as SQL where they are used, on the same connection.
/// </summary>
public sealed class RegistryDbContext(DbContextOptions<RegistryDbContext> options) : DbContext(options)
{
    public DbSet<RepositoryRow> Repositories => Set<RepositoryRow>();
    public DbSet<BlobRow> Blobs => Set<BlobRow>();
    public DbSet<BlobLinkRow> BlobLinks => Set<BlobLinkRow>();
    public DbSet<ManifestRow> Manifests => Set<ManifestRow>();
    public DbSet<ManifestReferenceRow> ManifestReferences => Set<ManifestReferenceRow>();
    public DbSet<TagRow> Tags => Set<TagRow>();
    public DbSet<UploadSessionRow> UploadSessions => Set<UploadSessionRow>();
    public DbSet<DoomedLocationRow> DoomedLocations => Set<DoomedLocationRow>();
    public DbSet<AccountRow> Accounts => Set<AccountRow>();
    public DbSet<SigningKeyRow> SigningKeys => Set<SigningKeyRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<RepositoryRow>().ToTable("repositories").Property(row => row.Id).UseIdentityAlwaysColumn();
        modelBuilder.Entity<BlobRow>().ToTable("blobs").HasKey(row => row.Digest);
        modelBuilder.Entity<BlobLinkRow>().ToTable("blob_links").HasKey(row => new { row.RepositoryId, row.Digest });
        modelBuilder.Entity<ManifestRow>().ToTable("manifests").HasKey(row => new { row.RepositoryId, row.Digest });
        modelBuilder.Entity<ManifestRow>().Property(row => row.Annotations).HasColumnType("json");
        modelBuilder.Entity<ManifestReferenceRow>().ToTable("manifest_references").HasNoKey();
        modelBuilder.Entity<TagRow>().ToTable("tags").HasKey(row => new { row.RepositoryId, row.Name });
        modelBuilder.Entity<UploadSessionRow>().ToTable("upload_sessions").Property(row => row.Id).ValueGeneratedNever();
        modelBuilder.Entity<DoomedLocationRow>().ToTable("doomed_locations").HasKey(row => row.Location);
        modelBuilder.Entity<AccountRow>().ToTable("accounts").Property(row => row.Id).UseIdentityAlwaysColumn();
        modelBuilder.Entity<SigningKeyRow>().ToTable("signing_keys").HasKey(row => row.Id);

        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            foreach (var property in entity.GetProperties())
            {
                property.SetColumnName(SnakeCase(property.Name));
                // The database's clock sets the times (DESIGN, leases and grace periods).
                if (property.Name is "CreatedAt" or "TouchedAt" or "UpdatedAt" or "DeleteAfter")
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
