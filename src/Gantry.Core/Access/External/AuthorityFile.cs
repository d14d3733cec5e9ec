using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gantry.Core.Access;

/// <summary>A file of PEM certificates that alone vouch for a server outside: what each <c>CaFile</c> setting names.</summary>
public static class AuthorityFile
{
    /// <summary>What is wrong with it, to follow its name in a sentence; null when it is fine.</summary>
    public static string? FaultOf(string path)
    {
        try
        {
            return Read(path).Count > 0 ? null : "holds no certificate in PEM";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return $"cannot be read: {e.Message.TrimEnd('.')}";
        }
    }

    /// <summary>Trusts them and nobody else.</summary>
    public static X509ChainPolicy PolicyOf(string path)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(Read(path));
        return policy;
    }

    private static X509Certificate2Collection Read(string path)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPemFile(path);
        return certificates;
    }
}
