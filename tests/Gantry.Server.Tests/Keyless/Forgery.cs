using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Keyless;

/// <summary>
/// What an attacker has (a genuine token, the public key, keys of his own) and, to test what lies behind the signature, what
/// he has not: the key itself.
/// </summary>
internal sealed record Forgery(string Genuine, AsymmetricAlgorithm Key, string Attacker)
{
    public static readonly ECDsa Mine = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static readonly RSA MyRsa = RSA.Create(2048);

    public JsonObject Header => JsonNode.Parse(Jwt.Part(Genuine, 0).GetRawText())!.AsObject();

    public JsonObject Claims => JsonNode.Parse(Jwt.Part(Genuine, 1).GetRawText())!.AsObject();

    private long Now => Claims["iat"]!.GetValue<long>();

    private string[] Parts => Genuine.Split('.');

    /// <summary>The forgeries by name; each is to be refused wherever a token is taken.</summary>
    public static IReadOnlyDictionary<string, Func<Forgery, string>> All { get; } = new Dictionary<string, Func<Forgery, string>>
    {
        ["alg none"] = f => f.Unsigned("none"),
        ["alg None"] = f => f.Unsigned("None"),
        ["alg NONE"] = f => f.Unsigned("NONE"),
        ["alg nOnE"] = f => f.Unsigned("nOnE"),
        ["alg empty, unsigned"] = f => f.Unsigned(""),
        ["alg none, with the genuine signature"] = f => f.Relabelled("alg", "none"),
        ["alg none, with a signature of one byte"] = f => f.Unsigned("none") + "AA",
        ["alg missing"] = f => f.SignedHeader(header => header.Remove("alg")),
        ["alg null"] = f => f.SignedHeader(header => header["alg"] = null),
        ["alg a number"] = f => f.SignedHeader(header => header["alg"] = 256),
        ["alg a list"] = f => f.SignedHeader(header => header["alg"] = new JsonArray("ES256")),
        ["alg in lowercase"] = f => f.SignedHeader(header => header["alg"] = "es256"),
        ["alg with a space"] = f => f.SignedHeader(header => header["alg"] = "ES256 "),
        ["alg of another curve"] = f => f.SignedHeader(header => header["alg"] = "ES384"),
        ["alg of RSA for an EC key"] = f => f.SignedHeader(header => header["alg"] = "RS256"),
        ["alg PS256 for an EC key"] = f => f.SignedHeader(header => header["alg"] = "PS256"),
        ["alg EdDSA"] = f => f.SignedHeader(header => header["alg"] = "EdDSA"),
        ["alg dir"] = f => f.SignedHeader(header => header["alg"] = "dir"),
        ["HS256 with the public key as DER"] = f => f.Secret(f.Key.ExportSubjectPublicKeyInfo()),
        ["HS256 with the public key as PEM"] = f => f.Secret(Encoding.ASCII.GetBytes(f.Key.ExportSubjectPublicKeyInfoPem())),
        ["HS256 with the public key as PEM and a newline"] = f => f.Secret(Encoding.ASCII.GetBytes(f.Key.ExportSubjectPublicKeyInfoPem() + "\n")),
        ["HS256 with the public key as JWK"] = f => f.Secret(Encoding.UTF8.GetBytes(Jwt.PublicJson(f.Key, f.Header["kid"]!.GetValue<string>()))),
        ["HS256 with an empty secret"] = f => f.Secret([]),
        ["another key under a known kid"] = f => f.Foreign(_ => { }),
        ["another RSA key under a known kid"] = f =>
            Jwt.Sign(MyRsa, Changed(f.Header, header => header["alg"] = "RS256"), f.Claims.ToJsonString()),
        ["embedded jwk"] = f => f.Foreign(header => header["jwk"] = JsonNode.Parse(Jwt.PublicJson(Mine, "mine"))),
        ["embedded jwk that has the known kid"] = f =>
            f.Foreign(header => header["jwk"] = JsonNode.Parse(Jwt.PublicJson(Mine, header["kid"]!.GetValue<string>()))),
        ["embedded jwk without kid"] = f => f.Foreign(header =>
        {
            header.Remove("kid");
            header["jwk"] = JsonNode.Parse(Jwt.PublicJson(Mine, null));
        }),
        ["jku of the attacker"] = f => f.Foreign(header => header["jku"] = $"{f.Attacker}/keys"),
        ["jku of the attacker, unknown kid"] = f => f.Foreign(header => (header["jku"], header["kid"]) = ($"{f.Attacker}/keys", "key-of-mine")),
        ["x5u of the attacker"] = f => f.Foreign(header => header["x5u"] = $"{f.Attacker}/certificate"),
        ["x5c of the attacker"] = f => f.Foreign(header => header["x5c"] = new JsonArray(Certificate())),
        ["x5c of the attacker without kid"] = f => f.Foreign(header =>
        {
            header.Remove("kid");
            header["x5c"] = new JsonArray(Certificate());
        }),
        ["kid that leads to an empty file"] = f => f.Foreign(header => header["kid"] = "../../../../../../dev/null"),
        ["kid that leads to an empty file, HS256 without secret"] = f =>
            Jwt.SignWithSecret([], Changed(f.Header, header => (header["alg"], header["kid"]) = ("HS256", "../../dev/null")), f.Claims.ToJsonString()),
        ["kid that is an address"] = f => f.Foreign(header => header["kid"] = $"{f.Attacker}/keys"),
        ["kid that is SQL"] = f => f.Foreign(header => header["kid"] = "' UNION SELECT id FROM signing_keys; --"),
        ["kid that is a command"] = f => f.Foreign(header => header["kid"] = "$(id)|id;`id`"),
        ["kid with a NUL"] = f => f.Foreign(header => header["kid"] = "key\0"),
        ["kid of 4 KiB"] = f => f.Foreign(header => header["kid"] = new string('k', 4096)),
        ["kid unknown"] = f => f.Foreign(header => header["kid"] = "unknown"),
        ["kid missing"] = f => f.SignedHeader(header => header.Remove("kid")),
        ["kid null"] = f => f.SignedHeader(header => header["kid"] = null),
        ["kid empty"] = f => f.SignedHeader(header => header["kid"] = ""),
        ["kid a number"] = f => f.SignedHeader(header => header["kid"] = 1),
        ["kid an object"] = f => f.SignedHeader(header => header["kid"] = new JsonObject { ["$ne"] = "" }),
        ["kid a list of the known one"] = f => f.SignedHeader(header => header["kid"] = new JsonArray(header["kid"]!.GetValue<string>())),
        ["kid twice"] = f => Jwt.Sign(f.Key, f.Header.ToJsonString()[..^1] + ",\"kid\":\"x\"}", f.Claims.ToJsonString()),
        ["alg twice"] = f => Jwt.Sign(f.Key, "{\"alg\":\"none\"," + f.Header.ToJsonString()[1..], f.Claims.ToJsonString()),
        ["aud of another"] = f => f.Signed(claims => claims["aud"] = "another"),
        ["aud longer"] = f => f.Signed(claims => claims["aud"] = "gantry.example"),
        ["aud in capitals"] = f => f.Signed(claims => claims["aud"] = "GANTRY"),
        ["aud a list of others"] = f => f.Signed(claims => claims["aud"] = new JsonArray("one", "two")),
        ["aud an empty list"] = f => f.Signed(claims => claims["aud"] = new JsonArray()),
        ["aud empty"] = f => f.Signed(claims => claims["aud"] = ""),
        ["aud missing"] = f => f.Signed(claims => claims.Remove("aud")),
        ["aud null"] = f => f.Signed(claims => claims["aud"] = null),
        ["aud of refresh tokens"] = f => f.Signed(claims => claims["aud"] = "gantry:refresh"),
        ["iss of another"] = f => f.Signed(claims => claims["iss"] = "https://issuer.example"),
        ["iss with a slash more"] = f => f.Signed(claims => claims["iss"] = claims["iss"]!.GetValue<string>() + "/"),
        ["iss in capitals"] = f => f.Signed(claims => claims["iss"] = claims["iss"]!.GetValue<string>().ToUpperInvariant()),
        ["iss missing"] = f => f.Signed(claims => claims.Remove("iss")),
        ["iss a list"] = f => f.Signed(claims => claims["iss"] = new JsonArray(claims["iss"]!.GetValue<string>())),
        ["expired"] = f => f.Signed(claims => claims["exp"] = f.Now - 61),
        ["exp missing"] = f => f.Signed(claims => claims.Remove("exp")),
        ["exp null"] = f => f.Signed(claims => claims["exp"] = null),
        ["exp a word"] = f => f.Signed(claims => claims["exp"] = "never"),
        ["exp zero"] = f => f.Signed(claims => claims["exp"] = 0),
        ["exp negative"] = f => f.Signed(claims => claims["exp"] = -1),
        ["exp beyond every number"] = f => Jwt.Sign(f.Key, f.Header.ToJsonString(), Changed(f.Claims, claims => claims.Remove("exp"))[..^1] + ",\"exp\":1e400}"),
        ["not valid yet"] = f => f.Signed(claims => claims["nbf"] = f.Now + 120),
        ["claim twice"] = f => Jwt.Sign(f.Key, f.Header.ToJsonString(), f.Claims.ToJsonString()[..^1] + ",\"sub\":\"admin\"}"),
        ["exp twice"] = f => Jwt.Sign(f.Key, f.Header.ToJsonString(), "{\"exp\":1," + f.Claims.ToJsonString()[1..]),
        ["kid that is no UTF-8"] = f => $"{Jwt.Encode([.. "{\"alg\":\"ES256\",\"kid\":\""u8, 0xD7, .. "\"}"u8])}.{f.Parts[1]}.{f.Parts[2]}",
        ["alg that is no UTF-8"] = f => $"{Jwt.Encode([.. "{\"alg\":\""u8, 0xFF, .. "\",\"kid\":\"x\"}"u8])}.{f.Parts[1]}.{f.Parts[2]}",
        ["member that is no UTF-8"] = f => $"{Jwt.Encode([.. "{\""u8, 0xC0, .. "\":1}"u8])}.{f.Parts[1]}.{f.Parts[2]}",
        ["kid with half a surrogate pair"] = f => Jwt.Sign(Mine, """{"alg":"ES256","kid":"\ud800"}""", f.Claims.ToJsonString()),
        ["iss with half a surrogate pair"] = f => Jwt.Sign(f.Key, f.Header.ToJsonString(), """{"iss":"\udc00"}"""),
        ["claim with half a surrogate pair"] = f => Jwt.Sign(f.Key, f.Header.ToJsonString(), f.Claims.ToJsonString()[..^1] + ""","more":"\ud800"}"""),
        ["claims and a second object"] = f => Jwt.Sign(f.Key, f.Header.ToJsonString(), f.Claims.ToJsonString() + "{}"),
        ["claims with a comment"] = f => Jwt.Sign(f.Key, f.Header.ToJsonString(), "/**/" + f.Claims.ToJsonString()),
        ["claims with a comma too many"] = f => Jwt.Sign(f.Key, f.Header.ToJsonString(), f.Claims.ToJsonString()[..^1] + ",}"),
        ["claims a list"] = f => Jwt.Sign(f.Key, f.Header.ToJsonString(), $"[{f.Claims.ToJsonString()}]"),
        ["claims empty"] = f => Jwt.Sign(f.Key, f.Header.ToJsonString(), "{}"),
        ["claims nothing"] = f => Jwt.Sign(f.Key, f.Header.ToJsonString(), ""),
        ["claims nested 5000 deep"] = f => Jwt.Sign(f.Key, f.Header.ToJsonString(), new string('[', 5000)),
        ["claims changed"] = f => $"{f.Parts[0]}.{Jwt.Encode(Changed(f.Claims, claims => claims["sub"] = "admin"))}.{f.Parts[2]}",
        ["header and a second object"] = f => Jwt.Sign(f.Key, f.Header.ToJsonString() + "{}", f.Claims.ToJsonString()),
        ["five parts, encrypted"] = f =>
            $"{Jwt.Encode("""{"alg":"RSA-OAEP","enc":"A256GCM","kid":"x","zip":"DEF"}""")}.{f.Parts[1]}.{f.Parts[2]}.{f.Parts[1]}.{f.Parts[2]}",
        ["five parts, direct"] = f => $"{Jwt.Encode("""{"alg":"dir","enc":"A256GCM"}""")}..{f.Parts[1]}.{f.Parts[1]}.{f.Parts[2]}",
        ["four parts"] = f => $"{f.Genuine}.{f.Parts[2]}",
        ["two parts"] = f => $"{f.Parts[0]}.{f.Parts[1]}",
        ["no signature"] = f => $"{f.Parts[0]}.{f.Parts[1]}.",
        ["signature of zeros"] = f => $"{f.Parts[0]}.{f.Parts[1]}.{Jwt.Encode(new byte[64])}",
        ["signature as DER"] = f => $"{f.Parts[0]}.{f.Parts[1]}.{Jwt.Encode(f.DerSignature())}",
        ["signature cut short"] = f => f.Genuine[..^4],
        ["signature of twice the length"] = f => f.Genuine + f.Parts[2],
        ["signature with a bit that means nothing"] = f => f.Genuine[..^1] + Neighbour(f.Genuine[^1]),
        ["padded"] = f => f.Genuine + "==",
        ["padded in each part"] = f => $"{f.Parts[0]}=.{f.Parts[1]}=.{f.Parts[2]}==",
        ["a dot behind"] = f => f.Genuine + ".",
        ["a letter behind"] = f => f.Genuine + "A",
        ["a word behind"] = f => f.Genuine + " x",
        ["twice"] = f => f.Genuine + "," + f.Genuine,
        ["a space inside"] = f => f.Genuine.Replace(".", ". ", StringComparison.Ordinal),
        ["crit"] = f => f.Foreign(header => header["crit"] = new JsonArray("exp")),
        ["longer than 16 KiB, signed"] = f => f.Signed(claims => claims["more"] = new string('x', 13_000)),
    };

    private string Unsigned(string algorithm) =>
        $"{Jwt.Encode(Changed(Header, header => header["alg"] = algorithm))}.{Parts[1]}.";

    private string Relabelled(string name, string value) =>
        $"{Jwt.Encode(Changed(Header, header => header[name] = value))}.{Parts[1]}.{Parts[2]}";

    private string Secret(byte[] secret) =>
        Jwt.SignWithSecret(secret, Changed(Header, header => header["alg"] = "HS256"), Claims.ToJsonString());

    /// <summary>Signed by the right key: only what the test changed is wrong.</summary>
    public string Signed(Action<JsonObject> change) => Jwt.Sign(Key, Header.ToJsonString(), Changed(Claims, change));

    private string SignedHeader(Action<JsonObject> change) => Jwt.Sign(Key, Changed(Header, change), Claims.ToJsonString());

    private string Foreign(Action<JsonObject> change) => Jwt.Sign(Mine, Changed(Header, change), Claims.ToJsonString());

    private byte[] DerSignature() => ((ECDsa)Key).SignData(
        Encoding.ASCII.GetBytes($"{Parts[0]}.{Parts[1]}"), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    private static string Changed(JsonObject json, Action<JsonObject> change)
    {
        change(json);
        return json.ToJsonString();
    }

    // 64 bytes end in two bits; the four others of the last sign are zero.
    private static char Neighbour(char last)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        return alphabet[alphabet.IndexOf(last, StringComparison.Ordinal) + 1];
    }

    private static string Certificate()
    {
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=mine", Mine, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return Convert.ToBase64String(certificate.RawData);
    }
}
