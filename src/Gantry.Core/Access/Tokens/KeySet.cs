using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Microsoft.IdentityModel.Tokens;

namespace Gantry.Core.Access;

/// <summary>A row of signing_keys; its age by the database's clock.</summary>
internal sealed record StoredKey(string Id, byte[] PrivateKey, double AgeSeconds)
{
    public TimeSpan Age => TimeSpan.FromSeconds(AgeSeconds);
}

/// <summary>The keys that have not retired, newest first.</summary>
internal sealed record StoredKeys(IReadOnlyList<StoredKey> Rows)
{
    public bool NewestIsOld(TimeSpan lifetime) => Rows.Count == 0 || Rows[0].Age > lifetime;

    /// <summary>Keys whose successor is so old that nothing they signed is still valid.</summary>
    public IEnumerable<StoredKey> Outlived(TimeSpan keepFor) =>
        Rows.Skip(1).Where((_, index) => Rows[index].Age > keepFor);

    public bool NeedsCare(TimeSpan lifetime, TimeSpan keepFor, KeyEncryption encryption) =>
        NewestIsOld(lifetime) || Outlived(keepFor).Any() || Rows.Any(row => encryption.ShouldEncrypt(row.PrivateKey));
}

/// <summary>The keys as one node holds them; never changed, only replaced.</summary>
internal sealed record KeySet(ECDsaSecurityKey? Signing, IReadOnlyDictionary<string, ECDsaSecurityKey> ById)
{
    public static KeySet Empty { get; } = new(null, new Dictionary<string, ECDsaSecurityKey>());

    /// <summary>The same key stays the same object: the signatures' cache goes by it.</summary>
    public KeySet With(IReadOnlyList<StoredKey> rows, TimeSpan settling, KeyEncryption encryption)
    {
        var byId = new Dictionary<string, ECDsaSecurityKey>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            byId[row.Id] = ById.GetValueOrDefault(row.Id) ?? Read(row, encryption);
        }

        // The very first key has no elder: it signs at once.
        var signing = rows.FirstOrDefault(row => row.Age >= settling) ?? rows[^1];
        return new KeySet(byId[signing.Id], byId);
    }

    private static ECDsaSecurityKey Read(StoredKey row, KeyEncryption encryption)
    {
        // Never disposed: a request may still be verifying with it, and there are two or three in all.
        var pair = ECDsa.Create();
        pair.ImportPkcs8PrivateKey(encryption.Unprotect(row.Id, row.PrivateKey), out _);
        return new ECDsaSecurityKey(pair) { KeyId = row.Id };
    }
}

/// <summary>A public key as JSON Web Key (RFC 7517, 7518): for ES256, x and y are 32 bytes in base64url.</summary>
public sealed record PublicKey(
    [property: JsonPropertyName("kid")] string Id,
    [property: JsonPropertyName("x")] string X,
    [property: JsonPropertyName("y")] string Y)
{
    [JsonPropertyName("kty")] public string KeyType => "EC";
    [JsonPropertyName("crv")] public string Curve => "P-256";
    [JsonPropertyName("use")] public string Use => "sig";
    [JsonPropertyName("alg")] public string Algorithm => "ES256";

    internal static PublicKey Of(ECDsaSecurityKey key)
    {
        var point = key.ECDsa.ExportParameters(includePrivateParameters: false).Q;
        return new(key.KeyId, Base64UrlEncoder.Encode(point.X), Base64UrlEncoder.Encode(point.Y));
    }
}
