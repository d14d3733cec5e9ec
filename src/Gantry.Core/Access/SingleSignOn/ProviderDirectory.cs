using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Gantry.Core.Access;

/// <summary>
/// A provider's endpoints and keys (OpenID Connect Discovery 1.0), read when they are first needed and again after an
/// hour. While the provider does not answer, what was read last holds. A key id that is not known has them read at once,
/// at most every <see cref="AskAgainAfter"/>.
/// </summary>
internal sealed partial class ProviderDirectory(string issuer, ProviderHttp http, TimeProvider time, ILogger logger) : IDisposable
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(1);
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _reading = new(1);
    private Reading? _known;
    private (SignOnException Fault, long At)? _failure;
    private long? _forcedAt;

    /// <exception cref="SignOnException">It was never read, and cannot be.</exception>
    public async ValueTask<OpenIdConnectConfiguration> GetAsync(CancellationToken cancellationToken)
    {
        var known = Volatile.Read(ref _known);
        if (known is not null && time.GetElapsedTime(known.At) < KeptFor) return known.Configuration;
        return await ReadAsync(known, cancellationToken);
    }

    /// <summary>The keys of this id that fit; without an id, all that fit. None: an empty list.</summary>
    public async ValueTask<IReadOnlyList<SecurityKey>> KeysAsync(
        string? id, Func<SecurityKey, bool> fits, CancellationToken cancellationToken)
    {
        var configuration = await GetAsync(cancellationToken);
        if (Find() is { Count: > 0 } found) return found;
        if (_forcedAt is { } last && time.GetElapsedTime(last) < AskAgainAfter) return [];
        _forcedAt = time.GetTimestamp();
        configuration = await ReadAsync(Volatile.Read(ref _known), cancellationToken);
        return Find();

        List<SecurityKey> Find() => [.. configuration.SigningKeys.Where(key => (id is null || key.KeyId == id) && fits(key))];
    }

    public void Dispose() => _reading.Dispose();

    // Reads it unless somebody has since the caller saw what was known.
    private async Task<OpenIdConnectConfiguration> ReadAsync(Reading? seen, CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            if (_known is { } known && known != seen) return known.Configuration;
            if (_failure is { } failure && time.GetElapsedTime(failure.At) < AskAgainAfter)
                return _known?.Configuration ?? throw new SignOnException(failure.Fault.Fault, failure.Fault.Message, failure.Fault);
            try
            {
                // Not tied to one browser's patience: others wait for the same.
                var configuration = await FetchAsync();
                Volatile.Write(ref _known, new Reading(configuration, time.GetTimestamp()));
                _failure = null;
                return configuration;
            }
            catch (SignOnException e)
            {
                _failure = (e, time.GetTimestamp());
                LogNotRead(logger, issuer, e);
                if (_known is null) throw;
                return _known.Configuration;
            }
        }
        finally
        {
            _reading.Release();
        }
    }

    private async Task<OpenIdConnectConfiguration> FetchAsync()
    {
        OpenIdConnectConfiguration configuration;
        try
        {
            configuration = await OpenIdConnectConfigurationRetriever.GetAsync(
                issuer.TrimEnd('/') + "/.well-known/openid-configuration", http, CancellationToken.None);
        }
        catch (Exception e) when (e is not SignOnException)
        {
            // The library's readers throw what they like at a document that is none.
            throw new SignOnException(SignOnFault.Answer, "the provider's directory cannot be understood", e);
        }

        if (configuration.Issuer != issuer)
            throw new SignOnException(SignOnFault.Answer, "the provider's directory is another issuer's");
        http.Allowed(configuration.AuthorizationEndpoint);
        http.Allowed(configuration.TokenEndpoint);
        return configuration;
    }

    private sealed record Reading(OpenIdConnectConfiguration Configuration, long At);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The directory of {Issuer} could not be read")]
    private static partial void LogNotRead(ILogger logger, string issuer, Exception exception);
}
