using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.DependencyInjection;

namespace Gantry.Core.Access;

/// <summary>
/// The secret of a data protection key, as <see cref="KeyEncryption"/> keeps signing keys: encrypted where
/// <c>Access:KeyEncryptionKey</c> is set, plain bytes otherwise.
/// </summary>
internal sealed class ProtectionKeyEncryptor(KeyEncryption encryption) : IXmlEncryptor
{
    private const string Element = "gantryKey";

    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        var id = $"data-protection:{Guid.NewGuid():N}";
        var stored = encryption.Protect(id, Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting)));
        var element = new XElement(Element, new XAttribute("id", id), Convert.ToBase64String(stored));
        return new EncryptedXmlInfo(element, typeof(ProtectionKeyDecryptor));
    }

    /// <summary>Whether a key of this row lies plain although there is a key to encrypt it with.</summary>
    public static bool ShouldEncrypt(string xml, KeyEncryption encryption) =>
        XElement.Parse(xml).Descendants(Element)
            .Any(element => encryption.ShouldEncrypt(Convert.FromBase64String(element.Value)));
}

/// <summary>Made by the key manager, which reads its name from the row.</summary>
internal sealed class ProtectionKeyDecryptor(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement)
    {
        var stored = Convert.FromBase64String(encryptedElement.Value);
        var plain = services.GetRequiredService<KeyEncryption>().Unprotect((string)encryptedElement.Attribute("id")!, stored);
        return XElement.Parse(Encoding.UTF8.GetString(plain));
    }
}
