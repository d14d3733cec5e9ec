using Gantry.Oci;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Data;

internal static class Repositories
{
    public static async Task<long?> FindRepositoryAsync(this RegistryDbContext db, RepositoryName name,
        CancellationToken cancellationToken)
    {
        var text = name.ToString();
        return await db.Repositories.Where(row => row.Name == text).Select(row => (long?)row.Id)
            .SingleOrDefaultAsync(cancellationToken);
    }
}
