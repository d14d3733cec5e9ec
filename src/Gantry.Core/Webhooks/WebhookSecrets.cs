using System.Text;
using Gantry.Core.Access;
using Gantry.Core.Data;

namespace Gantry.Core.Webhooks;

/// <summary>
/// Secrets of webhooks at rest, as <see cref="KeyEncryption"/> keeps signing keys. What lies plain begins with a zero byte, which
/// nothing encrypted does; the row's id and the column are bound to the rest, so that no bytes can be moved to another place.
/// </summary>
public sealed class WebhookSecrets
{
    /// <summary>The first byte of what is not encrypted.</summary>
    internal const byte Plain = 0;

    private const string Signing = "secret", Header = "authorization";

    private readonly KeyEncryption _encryption;

    internal WebhookSecrets(KeyEncryption encryption) => _encryption = encryption;

    internal byte[] Seal(long webhook, WebhookSecret secret) => Seal(webhook, Signing, secret.Reveal());

    /// <summary>Null and empty: there is none.</summary>
    internal byte[]? SealAuthorization(long webhook, string? value) => string.IsNullOrEmpty(value) ? null : Seal(webhook, Header, value);

    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">It was sealed with another key than the configured one.</exception>
    internal WebhookSecret SecretOf(WebhookRow row) =>
        WebhookSecret.TryParse(Open(row.Id, Signing, row.Secret), out var secret) ? secret : throw new FormatException($"webhook {row.Id} has no secret");

    /// <inheritdoc cref="SecretOf"/>
    internal string? AuthorizationOf(WebhookRow row) => row.Credential is { } sealedValue ? Open(row.Id, Header, sealedValue) : null;

    /// <summary>Whether there is a key to encrypt with.</summary>
    internal bool Encrypts => _encryption.IsOn;

    private byte[] Seal(long webhook, string column, string text) => _encryption.Protect(Place(webhook, column), [Plain, .. Encoding.UTF8.GetBytes(text)]);

    private string Open(long webhook, string column, byte[] stored) =>
        Encoding.UTF8.GetString(_encryption.Unprotect(Place(webhook, column), stored).AsSpan(1));

    private static string Place(long webhook, string column) => $"webhook/{webhook}/{column}";
}
