using Gantry.Oci;

namespace Gantry.Engine.Remote.Transport;

/// <summary>One request as the protocol has it, before an endpoint gives it an address and a credential.</summary>
/// <param name="Repository">Null: <c>/v2/</c> itself.</param>
/// <param name="Rest">After the repository's name: <c>manifests/latest</c>, with a query where there is one.</param>
/// <param name="What">For messages: <c>the tag latest of library/debian</c>.</param>
internal sealed record Call(HttpMethod Method, RepositoryName? Repository, string Rest, string What)
{
    public const string Pull = "pull", PullAndPush = "pull,push";

    /// <summary>What has to be granted on the repository.</summary>
    public string Actions { get; init; } = Pull;

    /// <summary>A mount's source, which needs to be pulled from in the same token.</summary>
    public RepositoryName? From { get; init; }

    /// <summary>Instead of one made of the names: an upload's location, a list's next page. Of the endpoint's own origin.</summary>
    public Uri? Address { get; init; }

    public IReadOnlyList<string> Accept { get; init; } = [];

    /// <summary>Makes the body, anew for each time it is sent.</summary>
    public Func<HttpContent>? Content { get; init; }

    /// <summary>Bytes from here on; null: all of them, and no <c>Range</c>.</summary>
    public long? RangeFrom { get; init; }

    /// <summary>Strong entity tags by the origin that gave them, for <c>If-Range</c>.</summary>
    public IReadOnlyDictionary<string, string>? EntityTags { get; init; }

    /// <summary>The headers that go to every host on the way. Nothing here is a secret.</summary>
    public HttpRequestMessage ToRequest(Uri address)
    {
        var request = new HttpRequestMessage(Method, address) { Content = Content?.Invoke() };
        foreach (var type in Accept) request.Headers.TryAddWithoutValidation("Accept", type);
        if (Method == HttpMethod.Get) request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        if (RangeFrom is { } from)
        {
            request.Headers.TryAddWithoutValidation("Range", $"bytes={from}-");
            if (EntityTags?.GetValueOrDefault(address.GetLeftPart(UriPartial.Authority)) is { } tag) request.Headers.TryAddWithoutValidation("If-Range", tag);
        }

        // So that a refusal comes before the bytes have gone.
        if (request.Content?.Headers.ContentLength > 1 << 20) request.Headers.ExpectContinue = true;
        return request;
    }
}
