using System.Collections.Concurrent;
using System.Net.Http.Headers;
using Gantry.Engine.Credentials;
using Gantry.Engine.Remote.Transport;
using Gantry.Oci;

namespace Gantry.Engine.Remote.Access;

/// <summary>
/// What is sent as <c>Authorization</c> to one endpoint, kept in memory by the scope it was asked for. Whoever finds it refused asks
/// <see cref="AnswerAsync"/> for another, once.
/// </summary>
internal sealed class Authorizations(string host, RemoteOptions options, Func<Reach> reach, Wires own, Func<Wires> strangers) : IDisposable
{
    // One question to the token service at a time: the layers of an image all meet the same 401 at once.
    private readonly SemaphoreSlim _asking = new(1);
    private readonly ConcurrentDictionary<string, Granted> _granted = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _secrets = new();
    private readonly TokenService _service = new(host, options);

    /// <summary>What was granted for this and is still good.</summary>
    public AuthenticationHeaderValue? Current(string scope) =>
        _granted.TryGetValue(scope, out var granted) && options.Time.GetUtcNow() < granted.Until ? granted.Value : null;

    /// <summary>
    /// What to send after a 401; null where there is nothing better than what was sent.
    /// </summary>
    /// <param name="challenge">Of that 401, from the registry's own origin and nowhere else.</param>
    /// <param name="registry">That origin.</param>
    /// <param name="scope">One or more, separated by spaces; empty: who we are, nothing else.</param>
    /// <param name="failed">What was sent, if anything.</param>
    public async Task<AuthenticationHeaderValue?> AnswerAsync(
        AuthChallenge challenge, Uri registry, RepositoryName? repository, string scope, AuthenticationHeaderValue? failed, CancellationToken cancellationToken)
    {
        await _asking.WaitAsync(cancellationToken);
        try
        {
            if (Current(scope) is { } newer && !newer.Equals(failed)) return newer;
            _granted.TryRemove(scope, out _);

            var credential = options.Credentials is { } source ? await source.FindAsync(host, repository, cancellationToken) : null;
            foreach (var secret in credential?.Secrets ?? []) Hide(secret);
            var granted = challenge.Scheme == "basic" ? OfBasic(credential) : await OfBearerAsync(challenge, registry, scope, credential, cancellationToken);
            if (granted is null || granted.Value.Equals(failed)) return null;

            _granted[scope] = granted;
            return granted.Value;
        }
        finally
        {
            _asking.Release();
        }
    }

    /// <summary>A server may repeat what it was sent; no message does.</summary>
    public string Redact(string text)
    {
        foreach (var secret in _secrets) text = text.Replace(secret, "***", StringComparison.Ordinal);
        return text;
    }

    public void Dispose() => _asking.Dispose();

    private static Granted? OfBasic(Credential? credential) =>
        credential?.Basic is { } basic ? new Granted(new AuthenticationHeaderValue("Basic", basic), DateTimeOffset.MaxValue) : null;

    private async Task<Granted?> OfBearerAsync(
        AuthChallenge challenge, Uri registry, string scope, Credential? credential, CancellationToken cancellationToken)
    {
        if (credential?.RegistryToken is { } ready) return new Granted(new AuthenticationHeaderValue("Bearer", ready), DateTimeOffset.MaxValue);

        var realm = Realm.Check(host, registry, challenge["realm"], reach());
        var wires = Realm.IsSameOrigin(realm, registry) ? own : strangers();
        var reply = await _service.AskAsync(realm, wires, challenge["service"], Scopes(scope, challenge["scope"]), credential, Redact, cancellationToken);
        Hide(reply.Token);

        // A tenth less than its life, so that it is not old by the time it arrives.
        return new Granted(new AuthenticationHeaderValue("Bearer", reply.Token), options.Time.GetUtcNow() + (reply.Lifetime * 0.9));
    }

    /// <summary>What we need and what the registry says this request needs; some name scopes in ways of their own.</summary>
    private static List<string> Scopes(string ours, string? theirs) =>
        [.. $"{ours} {theirs}".Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(scope => scope.Length <= 1024).Distinct(StringComparer.Ordinal).Take(16)];

    private void Hide(string secret)
    {
        // Of shorter ones a message could not be cleaned without harm; more than a few are never in use.
        if (secret.Length < 4 || _secrets.Contains(secret)) return;
        _secrets.Enqueue(secret);
        if (_secrets.Count > 64) _secrets.TryDequeue(out _);
    }

    private sealed record Granted(AuthenticationHeaderValue Value, DateTimeOffset Until);
}
