using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Data;

internal static class Repositories
{
    /// <summary>The repository's id, making the repository where it is the first thing pushed to it.</summary>
    public static async Task<long> GetOrAddRepositoryAsync(this RegistryDbContext db, RepositoryName name,
        CancellationToken cancellationToken)
    {
        var text = name.ToString();
        if (await db.FindRepositoryAsync(name, cancellationToken) is { } known) return known;

        // Waits for a concurrent insert of the same name; its row is visible to the statement after.
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO repositories (name) VALUES ({text}) ON CONFLICT (name) DO NOTHING", cancellationToken);
        return (await db.FindRepositoryAsync(name, cancellationToken))!.Value;
    }

    public static async Task<long?> FindRepositoryAsync(this RegistryDbContext db, RepositoryName name,
        CancellationToken cancellationToken)
    {
        var text = name.ToString();
        return await db.Repositories.Where(row => row.Name == text).Select(row => (long?)row.Id)
            .SingleOrDefaultAsync(cancellationToken);
    }
}
