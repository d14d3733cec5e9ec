using System.Collections.Concurrent;
using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gantry.Core.Access;

/// <summary>
/// Looks at an access token: one query by its hash. When it was last used is gathered in memory and written once a
/// minute for all of them; at most <see cref="MostPending"/> wait, beyond that they are written at once.
/// </summary>
public sealed class AccessTokenLogin(IDbContextFactory<RegistryDbContext> database, TimeProvider time)
{
    private const int MostPending = 10_000;

    private readonly ConcurrentDictionary<long, DateTimeOffset> _used = new();

    /// <summary>
    /// Null: no such token, or it has run out, or its account is disabled or is another one than
    /// <paramref name="name"/> (null: a bearer needs no name).
    /// </summary>
    public async Task<LoggedIn?> TryLoginAsync(string? name, string text, CancellationToken cancellationToken = default)
    {
        if (!AccessTokenText.IsWellFormed(text)) return null;
        var hash = AccessTokenText.HashOf(text);
        await using var db = await database.CreateDbContextAsync(cancellationToken);
        var token = await db.AccessTokens
            .FromSql($"SELECT * FROM access_tokens WHERE hash = {hash} AND (expires_at IS NULL OR expires_at > now())")
            .AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        if (token is null) return null;
        var account = await db.Accounts.AsNoTracking()
            .SingleOrDefaultAsync(row => row.Id == token.AccountId && row.DisabledAt == null, cancellationToken);
        if (account is null || (name is not null && name != account.Name)) return null;

        _used[token.Id] = time.GetUtcNow();
        if (_used.Count > MostPending) await WriteUseAsync(cancellationToken);
        return account.ToLogin(token);
    }

    /// <summary>Writes down what was used since the last time.</summary>
    public async Task WriteUseAsync(CancellationToken cancellationToken)
    {
        var used = _used.ToArray();
        if (used.Length == 0) return;
        var (ids, times) = (used.Select(entry => entry.Key).Order().ToArray(), new DateTimeOffset[used.Length]);
        var byId = used.ToDictionary(entry => entry.Key, entry => entry.Value);
        for (var i = 0; i < ids.Length; i++) times[i] = byId[ids[i]];

        await using var db = await database.CreateDbContextAsync(cancellationToken);
        await db.Database.ExecuteSqlAsync(
            $"""
             UPDATE access_tokens t SET last_used_at = greatest(t.last_used_at, u.at)
             FROM unnest({ids}, {times}) u(id, at) WHERE t.id = u.id
             """, cancellationToken);
        foreach (var entry in used) _used.TryRemove(entry);
    }
}

/// <summary>Writes down once a minute, and at the end, when access tokens were last used.</summary>
internal sealed partial class AccessTokenUseWriter(
    AccessTokenLogin tokens, TimeProvider time, ILogger<AccessTokenUseWriter> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        while (await timer.NextTickAsync(stoppingToken)) await WriteAsync();
        await WriteAsync();
    }

    private async Task WriteAsync()
    {
        try
        {
            await tokens.WriteUseAsync(CancellationToken.None);
        }
        catch (Exception e) when (DatabaseOutage.Is(e))
        {
            // It is kept, and written with the next.
            LogNotWritten(logger, e);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The last use of access tokens could not be written")]
    private static partial void LogNotWritten(ILogger logger, Exception exception);
}
