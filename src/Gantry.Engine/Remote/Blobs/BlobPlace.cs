using System.Net;
using Gantry.Engine.Remote.Transport;

namespace Gantry.Engine.Remote.Blobs;

/// <summary>Somewhere a blob's bytes may be had.</summary>
internal abstract class BlobPlace
{
    /// <summary>For messages.</summary>
    public abstract string Name { get; }

    /// <summary>One answer with its body unread, whatever it says; the caller disposes it.</summary>
    public abstract Task<HttpResponseMessage> SendAsync(long? from, IReadOnlyDictionary<string, string> entityTags, CancellationToken cancellationToken);

    /// <summary>What an answer that is neither 200 nor 206 means.</summary>
    public abstract Task<EngineException> FailureAsync(HttpResponseMessage response, CancellationToken cancellationToken);

    /// <summary>It was away, however often it was asked.</summary>
    public virtual void GiveUp()
    {
    }
}

/// <summary>The registry or a mirror of it.</summary>
internal sealed class EndpointPlace(Endpoint endpoint, Call call) : BlobPlace
{
    public override string Name => endpoint.Host;

    public override Task<HttpResponseMessage> SendAsync(long? from, IReadOnlyDictionary<string, string> entityTags, CancellationToken cancellationToken) =>
        endpoint.SendAsync(call with { RangeFrom = from, EntityTags = entityTags }, cancellationToken);

    public override Task<EngineException> FailureAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
        endpoint.FailureAsync(call, response, cancellationToken);

    public override void GiveUp() => endpoint.MarkDown();
}

/// <summary>
/// An address out of a foreign layer's <c>urls</c>: whoever made the image chose it. HTTPS, public addresses, and nothing of ours goes along.
/// </summary>
internal sealed class ForeignPlace(string url, Lazy<Wires> wires, string what) : BlobPlace
{
    private readonly string _name = Uri.TryCreate(url, UriKind.Absolute, out var uri) ? RemoteText.Shown(uri.Authority, 260) : "an address of the image";

    public override string Name => _name;

    public override async Task<HttpResponseMessage> SendAsync(long? from, IReadOnlyDictionary<string, string> entityTags, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttps || address.UserInfo.Length > 0)
            throw new EngineException(EngineFault.Refused, $"the image names '{RemoteText.Shown(url.Split('?')[0].Split('@')[^1], 200)}' for {what}; only https is fetched from, without a user");

        var call = new Call(HttpMethod.Get, null, "", what) { RangeFrom = from, EntityTags = entityTags };
        for (var hops = 0; ; hops++)
        {
            Redirects.CheckLiteral(address, Reach.Public, "the image");
            var response = await wires.Value.SendAsync(call.ToRequest(address), cancellationToken);
            if (!Redirects.Is(response)) return response;
            using (response) address = Redirects.Next(address, response);
            if (hops == Redirects.MaxHops) throw new EngineException(EngineFault.Refused, $"{Name} redirects more than {Redirects.MaxHops} times for {what}");
        }
    }

    public override Task<EngineException> FailureAsync(HttpResponseMessage response, CancellationToken cancellationToken) => Task.FromResult(new EngineException(
        response.StatusCode switch
        {
            HttpStatusCode.NotFound => EngineFault.NotFound,
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => EngineFault.Denied,
            _ => EngineFault.Network,
        },
        $"{Name} answers {(int)response.StatusCode} for {what}; no login is sent to an address out of an image"));
}
