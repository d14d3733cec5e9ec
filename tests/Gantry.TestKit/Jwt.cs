using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Gantry.TestKit;

/// <summary>JSON Web Tokens as a test wants them, right or wrong: nothing here checks anything.</summary>
public static class Jwt
{
    public static string Encode(string text) => Encode(Encoding.UTF8.GetBytes(text));

    public static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);

    public static JsonElement Part(string token, int part) =>
        JsonDocument.Parse(Base64Url.DecodeFromChars(token.Split('.')[part])).RootElement;

    /// <summary>Signs with the algorithm that the key has (RSA: RS256), whatever the header says.</summary>
    public static string Sign(AsymmetricAlgorithm key, string header, string claims, RSASignaturePadding? padding = null)
    {
        var text = $"{Encode(header)}.{Encode(claims)}";
        return $"{text}.{Encode(Signature(key, Encoding.ASCII.GetBytes(text), padding))}";
    }

    public static string SignWithSecret(byte[] secret, string header, string claims)
    {
        var text = $"{Encode(header)}.{Encode(claims)}";
        return $"{text}.{Encode(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(text)))}";
    }

    /// <summary>A public key as JSON Web Key; <paramref name="more"/> is further members, each with its comma before it.</summary>
    public static string PublicJson(AsymmetricAlgorithm key, string? id, string more = "")
    {
        var kid = id is null ? "" : $",\"kid\":{JsonSerializer.Serialize(id)}";
        if (key is RSA rsa)
        {
            var parameters = rsa.ExportParameters(false);
            return $$"""{"kty":"RSA","n":"{{Encode(parameters.Modulus!)}}","e":"{{Encode(parameters.Exponent!)}}"{{kid}}{{more}}}""";
        }

        var point = ((ECDsa)key).ExportParameters(false).Q;
        return $$"""{"kty":"EC","crv":"P-{{key.KeySize}}","x":"{{Encode(point.X!)}}","y":"{{Encode(point.Y!)}}"{{kid}}{{more}}}""";
    }

    private static byte[] Signature(AsymmetricAlgorithm key, byte[] text, RSASignaturePadding? padding) => key switch
    {
        RSA rsa => rsa.SignData(text, HashAlgorithmName.SHA256, padding ?? RSASignaturePadding.Pkcs1),
        ECDsa { KeySize: 256 } pair => pair.SignData(text, HashAlgorithmName.SHA256),
        ECDsa { KeySize: 384 } pair => pair.SignData(text, HashAlgorithmName.SHA384),
        ECDsa pair => pair.SignData(text, HashAlgorithmName.SHA512),
        _ => throw new ArgumentException("neither RSA nor EC", nameof(key)),
    };
}
