using Gantry.Core.Data;
using Gantry.Storage;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.GarbageCollection;

/// <summary>Bytes that nothing owns any more: a row of <c>doomed_locations</c>.</summary>
/// <param name="Name">The location; for what an upload left, a name of its own.</param>
/// <param name="Kind"><c>location</c>, <c>upload</c> or <c>staging</c>, as the table has it.</param>
internal readonly record struct Doomed(string Name, string Kind, Guid? SessionId)
{
    /// <summary>One location's bytes.</summary>
    public static Doomed Location(BlobLocation location) => new(location.Value, "location", null);

    /// <summary>All that the session left; neither a session row nor a blob row names any of it.</summary>
    public static Doomed Upload(Guid session) => new($"upload/{session:N}", "upload", session);

    /// <summary>The session's staging alone.</summary>
    public static Doomed Staging(Guid session) => new($"staging/{session:N}", "staging", session);
}

internal static class Dooming
{
    /// <summary>Hands bytes over to deletion, in the transaction that takes their owner away.</summary>
    /// <param name="delay">How long they stay; null: they may go once the transaction has committed.</param>
    public static Task DoomAsync(this RegistryDbContext db, Doomed bytes, CancellationToken cancellationToken, TimeSpan? delay = null) =>
        db.DoomAsync([bytes], cancellationToken, delay);

    /// <summary>The same for many, in one statement.</summary>
    public static Task DoomAsync(
        this RegistryDbContext db, IReadOnlyCollection<Doomed> bytes, CancellationToken cancellationToken, TimeSpan? delay = null)
    {
        if (bytes.Count == 0) return Task.CompletedTask;
        var (names, kinds, sessions) = (bytes.Select(one => one.Name).ToArray(), bytes.Select(one => one.Kind).ToArray(),
            bytes.Select(one => one.SessionId).ToArray());
        var wait = delay ?? TimeSpan.Zero;
        return db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO doomed_locations (location, kind, session_id, delete_after)
             SELECT location, kind, session_id, now() + {wait} FROM unnest({names}, {kinds}, {sessions}) d (location, kind, session_id)
             ON CONFLICT (location) DO NOTHING
             """, cancellationToken);
    }
}
