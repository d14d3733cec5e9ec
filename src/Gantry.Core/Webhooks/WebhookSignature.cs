using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gantry.Core.Webhooks;

/// <summary>
/// The signature of the Standard Webhooks specification: <c>v1,</c> and the base64 of an HMAC-SHA256 over <c>id.timestamp.body</c>. The
/// timestamp is the try's, so that an old request cannot be sent again for a new one.
/// </summary>
public static class WebhookSignature
{
    public const string IdHeader = "webhook-id", TimestampHeader = "webhook-timestamp", SignatureHeader = "webhook-signature";

    public static string Of(WebhookSecret secret, Guid message, DateTimeOffset at, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret.Key);
        hmac.AppendData(Encoding.ASCII.GetBytes($"{message}.{TimestampOf(at)}."));
        hmac.AppendData(body);
        return $"v1,{Convert.ToBase64String(hmac.GetHashAndReset())}";
    }

    /// <summary>Seconds since 1970.</summary>
    public static string TimestampOf(DateTimeOffset at) => at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
}
