using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gantry.Engine.Remote.Transport;

/// <summary>Which certificates a server may show: those of the system's authorities and of the ones given beside.</summary>
internal static class TlsTrust
{
    /// <param name="files">PEM files; null ones are none.</param>
    /// <exception cref="EngineException"><see cref="EngineFault.Usage"/>: a file that cannot be read or holds no certificate.</exception>
    public static SslClientAuthenticationOptions Options(bool skipVerify, params IEnumerable<string?> files)
    {
        var options = new SslClientAuthenticationOptions();
        if (skipVerify)
        {
#pragma warning disable CA5359 // the user said so, by an option that is named for what it does
            options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
            return options;
        }

        var extra = new X509Certificate2Collection();
        foreach (var file in files.OfType<string>().Distinct(StringComparer.Ordinal)) Load(extra, file);
        if (extra.Count > 0) options.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => IsTrusted(extra, certificate, chain, errors);
        return options;
    }

    private static void Load(X509Certificate2Collection into, string file)
    {
        var before = into.Count;
        try
        {
            into.ImportFromPemFile(file);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new EngineException(EngineFault.Usage, $"the certificates in {file} cannot be read: {unreadable.Message}", unreadable);
        }

        if (into.Count == before) throw new EngineException(EngineFault.Usage, $"{file} holds no certificate in PEM form");
    }

    private static bool IsTrusted(X509Certificate2Collection extra, X509Certificate? certificate, X509Chain? presented, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None) return true;
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 shown) return false;

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.AddRange(extra);
        foreach (var element in presented?.ChainElements ?? Enumerable.Empty<X509ChainElement>()) chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        return chain.Build(shown);
    }
}
