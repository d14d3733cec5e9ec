using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Gantry.Core.Access;

/// <summary>
/// The public keys of an issuer that may verify signatures: RSA of 2048 to 8192 bits and EC on P-256, P-384 and P-521,
/// each with a key id. Everything else in the document (secrets above all, keys to encrypt with) is as if it were not there.
/// </summary>
internal sealed class IssuerKeySet
{
    private const int MaxKeys = 100, MaxKeyIdLength = 256;

    private readonly Dictionary<(string Id, string Curve), JsonWebKey> _keys = [];

    public int Count => _keys.Count;

    /// <summary>Null: it has no key of that id for that algorithm.</summary>
    public JsonWebKey? Find(string id, string algorithm) =>
        _keys.TryGetValue((id, JwsAlgorithm.CurveOf(algorithm) ?? ""), out var key)
        && (string.IsNullOrEmpty(key.Alg) || key.Alg == algorithm) ? key : null;

    /// <summary>Reads a JSON Web Key Set (RFC 7517, 5); null: it is none.</summary>
    public static IssuerKeySet? Read(JsonElement document)
    {
        if (document.ValueKind != JsonValueKind.Object || !document.TryGetProperty("keys", out var keys)
            || keys.ValueKind != JsonValueKind.Array) return null;
        var set = new IssuerKeySet();
        foreach (var entry in keys.EnumerateArray().Take(MaxKeys))
        {
            if (entry.ValueKind == JsonValueKind.Object && ReadKey(entry) is { } key) set._keys.TryAdd((key.Kid, key.Crv ?? ""), key);
        }

        return set;
    }

    private static JsonWebKey? ReadKey(JsonElement entry)
    {
        if (Text(entry, "kid") is not { Length: > 0 and <= MaxKeyIdLength } id) return null;
        if (entry.TryGetProperty("use", out var use) && !(use.ValueKind == JsonValueKind.String && use.ValueEquals("sig"))) return null;
        if (entry.TryGetProperty("key_ops", out var uses) && !IsToVerify(uses)) return null;
        var key = Text(entry, "kty") switch
        {
            "RSA" => ReadRsa(entry),
            "EC" => ReadEllipticCurve(entry),
            _ => null,
        };
        if (key is null) return null;

        key.Kid = id;
        key.Alg = Text(entry, "alg");
        // Providers are made anew each time and not shared by the library's key of keys: two issuers may use one id.
        key.CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false };
        return key;
    }

    private static JsonWebKey? ReadRsa(JsonElement entry)
    {
        if (Bytes(entry, "n", 1025)?.SkipWhile(octet => octet == 0).ToArray() is not { Length: >= 256 and <= 1024 } modulus
            || Bytes(entry, "e", 4)?.SkipWhile(octet => octet == 0).ToArray() is not { Length: > 0 } exponent) return null;
        try
        {
            // A weak one could be forged; a huge one, or a huge exponent, would make each look at a signature slow.
            using var rsa = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
            return rsa.KeySize >= 2048 && (exponent[^1] & 1) == 1 && exponent is not [1]
                ? new JsonWebKey { Kty = "RSA", N = Base64Url.EncodeToString(modulus), E = Base64Url.EncodeToString(exponent) }
                : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static JsonWebKey? ReadEllipticCurve(JsonElement entry)
    {
        var (name, curve, length) = Text(entry, "crv") switch
        {
            "P-256" => ("P-256", ECCurve.NamedCurves.nistP256, 32),
            "P-384" => ("P-384", ECCurve.NamedCurves.nistP384, 48),
            "P-521" => ("P-521", ECCurve.NamedCurves.nistP521, 66),
            _ => default,
        };
        if (name is null || Bytes(entry, "x", length) is not { } x || Bytes(entry, "y", length) is not { } y
            || x.Length != length || y.Length != length) return null;
        try
        {
            // Refuses a point that is not on the curve.
            using var pair = ECDsa.Create(new ECParameters { Curve = curve, Q = new ECPoint { X = x, Y = y } });
            return new JsonWebKey { Kty = "EC", Crv = name, X = Base64Url.EncodeToString(x), Y = Base64Url.EncodeToString(y) };
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static bool IsToVerify(JsonElement uses) =>
        uses.ValueKind == JsonValueKind.Array
        && uses.EnumerateArray().Any(word => word.ValueKind == JsonValueKind.String && word.ValueEquals("verify"));

    private static string? Text(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[]? Bytes(JsonElement entry, string name, int most)
    {
        if (Text(entry, name) is not { } text || text.Length > (most * 4 / 3) + 4) return null;
        try
        {
            return Base64Url.DecodeFromChars(text);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
