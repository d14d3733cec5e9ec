using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Gantry.Core.Webhooks;

/// <summary>The key that signs a webhook's deliveries, as its receiver keeps it: <c>whsec_</c> and 24 to 64 bytes in base64.</summary>
public sealed class WebhookSecret
{
    public const string Prefix = "whsec_";

    private const int LeastBytes = 24, MostBytes = 64, UsualBytes = 32;

    private readonly byte[] _key;

    private WebhookSecret(byte[] key) => _key = key;

    /// <summary>The text that is shown once. Not <c>ToString</c>, which a log could come upon.</summary>
    public string Reveal() => Prefix + Convert.ToBase64String(_key);

    internal ReadOnlySpan<byte> Key => _key;

    public static WebhookSecret Generate() => new(RandomNumberGenerator.GetBytes(UsualBytes));

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out WebhookSecret? secret)
    {
        secret = null;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal) || text.Length > 2 * MostBytes) return false;
        var key = new byte[text.Length];
        if (!Convert.TryFromBase64String(text[Prefix.Length..], key, out var length) || length is < LeastBytes or > MostBytes) return false;
        secret = new WebhookSecret(key[..length]);
        return true;
    }

    public override string ToString() => "a secret";
}
