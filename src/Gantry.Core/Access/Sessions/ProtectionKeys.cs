using System.Xml.Linq;
using Gantry.Core.Data;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.EntityFrameworkCore;

namespace Gantry.Core.Access;

/// <summary>
/// The keys that seal cookies, in <c>data_protection_keys</c>: any node reads what any other has sealed. A row is what
/// ASP.NET Core's data protection writes; <see cref="ProtectionKeyEncryptor"/> encrypts the secret in it.
/// </summary>
public sealed class ProtectionKeys : IXmlRepository
{
    private readonly IDbContextFactory<RegistryDbContext> _database;
    private readonly KeyEncryption _encryption;
    private readonly TimeProvider _time;

    internal ProtectionKeys(IDbContextFactory<RegistryDbContext> database, KeyEncryption encryption, TimeProvider time) =>
        (_database, _encryption, _time) = (database, encryption, time);

    /// <summary>
    /// Sees to it, before the first request, that there is a key. Nodes take turns: two that each made one would not know
    /// the other's for a day.
    /// </summary>
    public Task PrepareAsync(IKeyManager keys, CancellationToken cancellationToken) =>
        _database.InTransactionAsync(async db =>
        {
            await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({AccessLocks.ProtectionKeys})", cancellationToken);
            var rows = await db.DataProtectionKeys.AsNoTracking().ToListAsync(cancellationToken);
            // One that lay plain may have been copied so: it goes, and the sessions that it sealed with it.
            var plain = rows.Where(row => ProtectionKeyEncryptor.ShouldEncrypt(row.Xml, _encryption))
                .Select(row => row.Id).ToList();
            if (plain.Count > 0)
                await db.DataProtectionKeys.Where(row => plain.Contains(row.Id)).ExecuteDeleteAsync(cancellationToken);
            // Written by a connection of its own, so it is there before the next node's turn.
            var now = _time.GetUtcNow();
            if (rows.Count == plain.Count) keys.CreateNewKey(now, now + Lifetime);
        }, cancellationToken);

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var db = _database.CreateDbContext();
        var rows = db.DataProtectionKeys.AsNoTracking().OrderBy(row => row.Id).Select(row => row.Xml).ToList();
        return [.. rows.Select(xml => XElement.Parse(xml))];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        using var db = _database.CreateDbContext();
        var xml = element.ToString(SaveOptions.DisableFormatting);
        db.DataProtectionKeys.Add(new DataProtectionKeyRow { Name = friendlyName, Xml = xml });
        db.SaveChanges();
    }

    // What the key manager itself uses; it makes the next one two days before.
    private static TimeSpan Lifetime => TimeSpan.FromDays(90);
}
