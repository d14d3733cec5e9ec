using System.Net;
using System.Net.Http.Headers;
using Gantry.Engine.Remote.Access;
using Gantry.Oci;

namespace Gantry.Engine.Remote.Transport;

/// <summary>
/// One place that answers the registry's API: the registry itself or a mirror of it. It sends calls there with what it needs to be let
/// in, and follows redirects by the rules of <c>Remote/README.md</c>.
/// </summary>
internal sealed class Endpoint : IDisposable
{
    /// <summary>How long a mirror that was away is not asked again.</summary>
    private static readonly TimeSpan DownTime = TimeSpan.FromSeconds(30);

    private readonly RemoteOptions _options;
    private readonly string _prefix;
    private readonly string? _mirrorOf;
    private readonly Wires _own;
    private readonly Lazy<Wires> _strangers;
    private readonly Authorizations _authorizations;
    private readonly EndpointAddress _address;
    private int _reach = -1;
    private long _downUntil;

    /// <param name="mirrorOf">The registry that it mirrors; null: it is the registry.</param>
    public Endpoint(string host, RemoteOptions options, string prefix = "", string? mirrorOf = null)
    {
        (Host, _options, _prefix, _mirrorOf) = (host, options, prefix, mirrorOf);
        var settings = options.Registries.For(host);
        _own = new Wires(options, settings.SkipVerify, settings.Ca, () => Reach.Never, Saw);
        _strangers = new(() => new Wires(options, skipVerify: false, settings.Ca, () => OwnReach));
        _authorizations = new Authorizations(host, options, () => OwnReach, _own, () => _strangers.Value);
        _address = new EndpointAddress(host, settings.PlainHttp || options.PlainHttp, _own);
    }

    /// <summary>As people and credential files call it.</summary>
    public string Host { get; }

    public bool IsMirror => _mirrorOf is not null;

    /// <summary>A mirror that was away a moment ago: the next one, or the registry, is the better choice.</summary>
    public bool IsDown => IsMirror && _options.Time.GetUtcNow().UtcTicks < Volatile.Read(ref _downUntil);

    /// <summary>The farthest address that its name was seen to stand for; none seen (behind a proxy): as if in the Internet.</summary>
    private Reach OwnReach => Volatile.Read(ref _reach) is >= 0 and var reach ? (Reach)Math.Min(reach, (int)Reach.Loopback) : Reach.Public;

    public void MarkDown() => Volatile.Write(ref _downUntil, (_options.Time.GetUtcNow() + DownTime).UtcTicks);

    /// <summary>Asks until there is an answer that trying again would not change, and reads it whole.</summary>
    public async Task<Answer> AskAsync(Call call, int maxBody, CancellationToken cancellationToken)
    {
        var tries = new Tries(_options, IsMirror ? Math.Min(2, _options.MaxTries) : null);
        while (true)
        {
            TimeSpan? after;
            try
            {
                using var response = await SendAsync(call, cancellationToken);
                after = Tries.RetryAfter(response, _options.Time);
                var body = response.IsSuccessStatusCode
                    ? await SmallBody.ReadAsync(response, maxBody, _options, cancellationToken)
                    : await SmallBody.ReadErrorAsync(response, _options, cancellationToken);
                var answer = new Answer(response.StatusCode, response.RequestMessage!.RequestUri!, response.Headers, response.Content.Headers, body);
                if (!Tries.IsPassing(response.StatusCode) || !await tries.AgainAsync(after, cancellationToken)) return answer;
            }
            catch (EngineException failed) when (Tries.IsPassing(failed))
            {
                if (!await tries.AgainAsync(null, cancellationToken)) throw;
            }
        }
    }

    /// <summary>One answer, whatever it says, its body unread: renewed once after a 401, redirects followed for reading. The caller disposes it.</summary>
    public async Task<HttpResponseMessage> SendAsync(Call call, CancellationToken cancellationToken)
    {
        var registry = await _address.GetAsync(cancellationToken);
        var address = AddressOf(call, registry);
        var isOwn = Realm.IsSameOrigin(address, registry);
        if (!isOwn) throw new EngineException(EngineFault.Refused, $"{Host} names {RemoteText.Shown(address)} for {call.What}, which is not its own");

        for (var hops = 0; ; hops++)
        {
            var response = isOwn
                ? await SendAuthorizedAsync(registry, address, call, cancellationToken)
                : await _strangers.Value.SendAsync(call.ToRequest(address), cancellationToken);
            if (!Redirects.Is(response) || (call.Method != HttpMethod.Get && call.Method != HttpMethod.Head)) return response;

            using (response) address = Redirects.Next(address, response);
            if (hops == Redirects.MaxHops) throw new EngineException(EngineFault.Refused, $"{Host} redirects more than {Redirects.MaxHops} times for {call.What}");

            // Who has once sent us away gets no credential by sending us back: the way here was a stranger's choice.
            isOwn = isOwn && Realm.IsSameOrigin(address, registry);
            if (!isOwn) Redirects.CheckLiteral(address, OwnReach, Host);
        }
    }

    /// <summary>What an answer that is none of the good ones means.</summary>
    public EngineException Failure(Call call, Answer answer) => RemoteErrors.Of(
        Host, call.What, (int)answer.Status, answer.Body, _authorizations.Current(ScopeOf(call)) is not null, _authorizations.Redact);

    /// <summary>The same for an answer that is not read yet; disposes nothing.</summary>
    public async Task<EngineException> FailureAsync(Call call, HttpResponseMessage response, CancellationToken cancellationToken) => RemoteErrors.Of(
        Host, call.What, (int)response.StatusCode, await SmallBody.ReadErrorAsync(response, _options, cancellationToken),
        _authorizations.Current(ScopeOf(call)) is not null, _authorizations.Redact);

    public void Dispose()
    {
        _own.Dispose();
        if (_strangers.IsValueCreated) _strangers.Value.Dispose();
        _authorizations.Dispose();
        _address.Dispose();
    }

    private async Task<HttpResponseMessage> SendAuthorizedAsync(Uri registry, Uri address, Call call, CancellationToken cancellationToken)
    {
        var scope = ScopeOf(call);
        var authorization = _authorizations.Current(scope);
        var response = await SendAsync(address, call, authorization, cancellationToken);
        if (response.StatusCode != HttpStatusCode.Unauthorized) return response;

        try
        {
            var renewed = AuthChallenge.Best(response.Headers) is { } challenge
                ? await _authorizations.AnswerAsync(challenge, registry, RepositoryOf(call), scope, authorization, cancellationToken)
                : null;
            if (renewed is null) return response;
            authorization = renewed;
        }
        catch
        {
            response.Dispose();
            throw;
        }

        response.Dispose();
        return await SendAsync(address, call, authorization, cancellationToken);
    }

    private Task<HttpResponseMessage> SendAsync(Uri address, Call call, AuthenticationHeaderValue? authorization, CancellationToken cancellationToken)
    {
        var request = call.ToRequest(address);
        request.Headers.Authorization = authorization;
        return _own.SendAsync(request, cancellationToken);
    }

    private Uri AddressOf(Call call, Uri registry)
    {
        if (call.Address is { } given) return given;
        if (call.Repository is null) return new Uri(registry, "/v2/");

        // A mirror of several registries is told which one is meant (distribution-spec, "Registry Proxying").
        var ns = _mirrorOf is null ? "" : $"{(call.Rest.Contains('?', StringComparison.Ordinal) ? '&' : '?')}ns={_mirrorOf}";
        return new Uri(registry, $"/v2/{_prefix}{call.Repository}/{call.Rest}{ns}");
    }

    private string ScopeOf(Call call) => call.Repository is null ? ""
        : $"repository:{_prefix}{call.Repository}:{call.Actions}{(call.From is { } from && from != call.Repository ? $" repository:{_prefix}{from}:pull" : "")}";

    private RepositoryName? RepositoryOf(Call call) =>
        call.Repository is not null && RepositoryName.TryParse($"{_prefix}{call.Repository}", out var name) ? name : null;

    // The farthest of all that were seen: whoever plays with a name's DNS only ever loses.
    private void Saw(Reach reach)
    {
        int known;
        do
        {
            known = Volatile.Read(ref _reach);
            if (known >= 0 && known <= (int)reach) return;
        }
        while (Interlocked.CompareExchange(ref _reach, (int)reach, known) != known);
    }
}
