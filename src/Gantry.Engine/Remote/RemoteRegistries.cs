using System.Collections.Concurrent;
using Gantry.Engine.Credentials;
using Gantry.Engine.Remote.Transport;

namespace Gantry.Engine.Remote;

/// <summary>
/// The registries of the world, as one process sees them: connections, tokens and what was learned of a host are kept here and shared by
/// all repositories opened. Safe for any number of threads; disposing ends what is still open.
/// </summary>
public sealed class RemoteRegistries(RemoteOptions options) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<IReadOnlyList<Endpoint>>> _endpoints = new(StringComparer.Ordinal);
    private readonly Lazy<Wires> _foreign = new(() => new Wires(options, skipVerify: false, ca: null, () => Reach.Public));

    /// <summary>Asks nobody yet.</summary>
    public RemoteRepository Open(ImageName name) => new(name.Host, name.Repository, EndpointsOf(name.Host), _foreign, options);

    /// <summary>Whether the registry lets this credential in, asked of nothing but <c>/v2/</c>: what a login does before it keeps one.</summary>
    /// <param name="host">As <see cref="ImageName.TryParseHost"/> gives it.</param>
    /// <exception cref="EngineException"><see cref="EngineFault.Denied"/> where it does not.</exception>
    public async Task VerifyAsync(string host, Credential credential, CancellationToken cancellationToken = default)
    {
        using var endpoint = new Endpoint(host, options with { Credentials = new OneCredential(credential) });
        var call = new Call(HttpMethod.Get, null, "", "this login");
        var answer = await endpoint.AskAsync(call, 1 << 20, cancellationToken);
        if ((int)answer.Status is not (>= 200 and < 300)) throw endpoint.Failure(call, answer);
    }

    public void Dispose()
    {
        foreach (var endpoints in _endpoints.Values.Where(made => made.IsValueCreated))
        {
            foreach (var endpoint in endpoints.Value) endpoint.Dispose();
        }

        if (_foreign.IsValueCreated) _foreign.Value.Dispose();
    }

    // Mirrors in order, then the registry.
    private IReadOnlyList<Endpoint> EndpointsOf(string host) => _endpoints.GetOrAdd(host, _ => new(() =>
        [.. options.Registries.For(host).Mirrors.Select(mirror => new Endpoint(mirror.Host, options, mirror.Prefix, mirrorOf: host)), new Endpoint(host, options)])).Value;

    private sealed class OneCredential(Credential credential) : ICredentialSource
    {
        public ValueTask<Credential?> FindAsync(string host, Oci.RepositoryName? repository, CancellationToken cancellationToken) => new(credential);
    }
}
