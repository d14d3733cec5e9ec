using System.Net;
using Gantry.Engine.Remote.Blobs;
using Gantry.Engine.Remote.Transport;
using Gantry.Oci;

namespace Gantry.Engine.Remote;

public sealed partial class RemoteRepository
{
    /// <summary>
    /// The bytes of a blob from <paramref name="from"/> on: exactly as many as the descriptor says are left, or an exception while reading.
    /// Connections that break are resumed inside. <b>The bytes are not verified</b>: the reader computes the digest.
    /// </summary>
    /// <param name="blob">Its digest and size; the rest is not looked at.</param>
    /// <param name="from">Bytes that are there already, from an earlier run; all of them: an empty stream, nobody asked.</param>
    /// <param name="urls">A foreign layer's <c>urls</c>, tried after all endpoints, in order, as they stand in the manifest.</param>
    /// <param name="cancellationToken">Ends the opening; reading has its own.</param>
    /// <returns>A stream for one reader, which disposes it. It cannot seek. Only its async members do not block a thread.</returns>
    /// <exception cref="EngineException">
    /// Here: <see cref="EngineFault.NotFound"/>, <see cref="EngineFault.Denied"/> and others; here or while reading:
    /// <see cref="EngineFault.Network"/> when tries are used up, <see cref="EngineFault.Mismatch"/> when what comes is not of that size.
    /// </exception>
    public Task<Stream> OpenBlobAsync(Descriptor blob, long from = 0, IReadOnlyList<string>? urls = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(from, blob.Size);
        var what = What(blob.Digest);
        var call = new Call(HttpMethod.Get, Name, $"blobs/{blob.Digest}", what);
        var places = _endpoints.Where(endpoint => !endpoint.IsDown).Select(endpoint => (BlobPlace)new EndpointPlace(endpoint, call))
            .Concat((urls ?? []).Take(16).Select(url => new ForeignPlace(url, _foreign, what)));
        return BlobStream.OpenAsync([.. places], blob.Size, from, _options, cancellationToken);
    }

    /// <summary>Whether the registry itself has it, in this repository.</summary>
    public async Task<bool> HasBlobAsync(Digest digest, CancellationToken cancellationToken = default)
    {
        var call = new Call(HttpMethod.Head, Name, $"blobs/{digest}", What(digest));
        return await HasAsync(call, cancellationToken);
    }

    private async Task<bool> HasAsync(Call call, CancellationToken cancellationToken)
    {
        var answer = await Registry.AskAsync(call, 0, cancellationToken);
        return answer.Status switch
        {
            HttpStatusCode.OK => true,
            HttpStatusCode.NotFound => false,
            _ => throw Registry.Failure(call, answer),
        };
    }

    private string What(Digest blob) => $"the blob {blob} of {Name}";
}
