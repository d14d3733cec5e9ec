using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Gantry.Core.Data;

/// <summary>
/// How every change is made: one transaction at READ COMMITTED, run again from its start where PostgreSQL ended it for
/// another's sake. Lock order: repository, manifests, links, blobs, tags, each sorted.
/// </summary>
internal static class Transactions
{
    private const int Attempts = 8;

    public static async Task<T> InTransactionAsync<T>(this IDbContextFactory<RegistryDbContext> contexts,
        Func<RegistryDbContext, Task<T>> work, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var db = await contexts.CreateDbContextAsync(cancellationToken);
                await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
                var result = await work(db);
                await transaction.CommitAsync(cancellationToken);
                return result;
            }
            catch (Exception exception) when (attempt < Attempts && Find(exception) is { } fault && IsRace(fault))
            {
                // The other side holds its locks for a few milliseconds; coming back at once would meet it again.
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(1, 10 * attempt)), TimeProvider.System,
                    cancellationToken);
            }
        }
    }

    public static Task InTransactionAsync(this IDbContextFactory<RegistryDbContext> contexts,
        Func<RegistryDbContext, Task> work, CancellationToken cancellationToken) =>
        contexts.InTransactionAsync(async db =>
        {
            await work(db);
            return true;
        }, cancellationToken);

    private static PostgresException? Find(Exception exception) =>
        exception as PostgresException ?? exception.InnerException as PostgresException;

    // A foreign key fails only where what a push had just seen went away before it was locked.
    private static bool IsRace(PostgresException fault) => fault.SqlState
        is PostgresErrorCodes.DeadlockDetected
        or PostgresErrorCodes.SerializationFailure
        or PostgresErrorCodes.ForeignKeyViolation;
}
