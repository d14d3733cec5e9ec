using System.Security.Cryptography;
using Gantry.Core.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Gantry.Core.Access;

/// <summary>
/// The ES256 keys of <c>signing_keys</c>, shared by all nodes. All that have not retired verify. The newest signs, once
/// it has been in the database for <see cref="Settling"/>: by then each node has read it. A key retires, and its
/// private part is wiped, when its successor is older than the longest life of a token.
/// </summary>
public sealed partial class SigningKeys : IDisposable
{
    /// <summary>How often each node reads the keys again.</summary>
    public static readonly TimeSpan ReadEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Settling = 2 * ReadEvery;

    // A token with an unknown key id asks the database at most this often, whatever strangers send.
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(2);

    private readonly IDbContextFactory<RegistryDbContext> _database;
    private readonly KeyEncryption _encryption;
    private readonly IOptions<AccessOptions> _options;
    private readonly TimeProvider _time;
    private readonly ILogger<SigningKeys> _logger;
    private readonly SemaphoreSlim _reading = new(1);
    private KeySet _keys = KeySet.Empty;
    private long _readAt;

    internal SigningKeys(
        IDbContextFactory<RegistryDbContext> database, KeyEncryption encryption, IOptions<AccessOptions> options,
        TimeProvider time, ILogger<SigningKeys> logger)
    {
        (_database, _encryption, _options, _time, _logger) = (database, encryption, options, time, logger);
    }

    /// <summary>The key that signs now.</summary>
    internal async ValueTask<ECDsaSecurityKey> SigningKeyAsync(CancellationToken cancellation = default)
    {
        if (_keys.Signing is null) await RefreshAsync(cancellation);
        return _keys.Signing!;
    }

    /// <summary>Null: no such key, or it has retired.</summary>
    internal async ValueTask<ECDsaSecurityKey?> FindAsync(string id, CancellationToken cancellation = default)
    {
        if (_keys.ById.TryGetValue(id, out var key)) return key;
        if (_keys.Signing is not null && _time.GetElapsedTime(Volatile.Read(ref _readAt)) < AskAgainAfter) return null;
        await RefreshAsync(cancellation);
        return _keys.ById.GetValueOrDefault(id);
    }

    /// <summary>The public halves of all keys that verify, as RFC 7517 wants them.</summary>
    public async ValueTask<IReadOnlyList<PublicKey>> PublicKeysAsync(CancellationToken cancellation = default)
    {
        await SigningKeyAsync(cancellation);
        return [.. _keys.ById.Values.Select(PublicKey.Of)];
    }

    /// <summary>
    /// Reads the keys; makes one when there is none or the newest has grown old, and retires those whose time is over.
    /// Nodes take turns, so that they make one key and not one each.
    /// </summary>
    public async Task RefreshAsync(CancellationToken cancellation = default)
    {
        var asked = _time.GetTimestamp();
        await _reading.WaitAsync(cancellation);
        try
        {
            // Somebody read them while this caller waited: that is news enough.
            if (_keys.Signing is not null && Volatile.Read(ref _readAt) > asked) return;
            await using var db = await _database.CreateDbContextAsync(cancellation);
            var keys = await ReadAsync(db, cancellation);
            if (keys.NeedsCare(_options.Value.SigningKeyLifetime, KeepFor, _encryption))
            {
                await CareAsync(db, cancellation);
                keys = await ReadAsync(db, cancellation);
            }

            Volatile.Write(ref _keys, _keys.With(keys.Rows, Settling, _encryption));
            Volatile.Write(ref _readAt, _time.GetTimestamp());
        }
        finally
        {
            _reading.Release();
        }
    }

    public void Dispose() => _reading.Dispose();

    // The longest life of anything a key has signed, and time enough for every node to have seen the successor.
    private TimeSpan KeepFor => _options.Value.RefreshTokenLifetime + _options.Value.TokenLifetime + 2 * Settling;

    private static async Task<StoredKeys> ReadAsync(RegistryDbContext db, CancellationToken cancellation)
    {
        var rows = await db.Database
            .SqlQuery<StoredKey>($"""
                SELECT id AS "Id", private_key AS "PrivateKey",
                       extract(epoch FROM now() - created_at)::float8 AS "AgeSeconds"
                FROM signing_keys WHERE retired_at IS NULL ORDER BY created_at DESC, id DESC
                """)
            .ToListAsync(cancellation);
        return new StoredKeys(rows);
    }

    private async Task CareAsync(RegistryDbContext db, CancellationToken cancellation)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({AccessLocks.SigningKeys})", cancellation);
        var keys = await ReadAsync(db, cancellation);

        foreach (var row in keys.Rows.Where(row => _encryption.ShouldEncrypt(row.PrivateKey)))
        {
            var stored = _encryption.Protect(row.Id, row.PrivateKey);
            await db.Database.ExecuteSqlAsync(
                $"UPDATE signing_keys SET private_key = {stored} WHERE id = {row.Id}", cancellation);
        }

        foreach (var row in keys.Outlived(KeepFor))
        {
            await db.Database.ExecuteSqlAsync(
                $"UPDATE signing_keys SET retired_at = now(), private_key = ''::bytea WHERE id = {row.Id}", cancellation);
            LogRetired(_logger, row.Id);
        }

        if (keys.NewestIsOld(_options.Value.SigningKeyLifetime))
        {
            // A wrong key must not hide behind a new row that it can read.
            foreach (var row in keys.Rows) _encryption.Unprotect(row.Id, row.PrivateKey);
            using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var id = Base64UrlEncoder.Encode(RandomNumberGenerator.GetBytes(12));
            var stored = _encryption.Protect(id, pair.ExportPkcs8PrivateKey());
            await db.Database.ExecuteSqlAsync(
                $"INSERT INTO signing_keys (id, private_key) VALUES ({id}, {stored})", cancellation);
            LogMade(_logger, id);
        }

        await transaction.CommitAsync(cancellation);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Signing key {KeyId} was made")]
    private static partial void LogMade(ILogger logger, string keyId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Signing key {KeyId} has retired")]
    private static partial void LogRetired(ILogger logger, string keyId);
}
