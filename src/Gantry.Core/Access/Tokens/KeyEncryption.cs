using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Gantry.Core.Access;

/// <summary>
/// Signing keys at rest. Plain: PKCS#8 (DER, its first byte is 0x30). Encrypted, when <c>Access:KeyEncryptionKey</c> is
/// given: <c>"GK1" | nonce (12 bytes) | tag (16 bytes) | AES-256-GCM of the PKCS#8</c>, with the key's id as associated
/// data, so that one row's bytes cannot stand in for another's.
/// </summary>
internal sealed class KeyEncryption(IOptions<AccessOptions> options)
{
    private const int NonceLength = 12;
    private const int TagLength = 16;

    private static ReadOnlySpan<byte> Mark => "GK1"u8;

    private readonly byte[]? _key = options.Value.EncryptionKeyBytes();

    /// <summary>Whether there is a key.</summary>
    public bool IsOn => _key is not null;

    /// <summary>Whether these bytes lie plain although there is a key to encrypt them with.</summary>
    public bool ShouldEncrypt(byte[] stored) => _key is not null && !stored.AsSpan().StartsWith(Mark);

    public byte[] Protect(string id, byte[] pkcs8)
    {
        if (_key is null) return pkcs8;
        var stored = new byte[Mark.Length + NonceLength + TagLength + pkcs8.Length];
        var nonce = stored.AsSpan(Mark.Length, NonceLength);
        var tag = stored.AsSpan(Mark.Length + NonceLength, TagLength);
        Mark.CopyTo(stored);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_key, TagLength);
        aes.Encrypt(nonce, pkcs8, stored.AsSpan(Mark.Length + NonceLength + TagLength), tag, Encoding.UTF8.GetBytes(id));
        return stored;
    }

    /// <exception cref="OptionsValidationException">
    /// The configured key is missing, or not the one it was made
    /// with.
    /// </exception>
    public byte[] Unprotect(string id, byte[] stored)
    {
        if (!stored.AsSpan().StartsWith(Mark)) return stored;
        if (_key is null)
            throw Fault("The signing keys in the database are encrypted, but Access:KeyEncryptionKey is not set.");

        var rest = stored.AsSpan(Mark.Length);
        var pkcs8 = new byte[Math.Max(0, rest.Length - NonceLength - TagLength)];
        try
        {
            using var aes = new AesGcm(_key, TagLength);
            aes.Decrypt(
                rest[..NonceLength], rest[(NonceLength + TagLength)..], rest.Slice(NonceLength, TagLength), pkcs8,
                Encoding.UTF8.GetBytes(id));
            return pkcs8;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentOutOfRangeException)
        {
            throw Fault($"Access:KeyEncryptionKey does not decrypt signing key {id}: it was stored with another one.");
        }
    }

    private static OptionsValidationException Fault(string sentence) =>
        new(AccessOptions.Section, typeof(AccessOptions), [sentence]);
}
