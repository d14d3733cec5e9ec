using System.Net;
using System.Net.Http.Headers;
using Gantry.Engine.Remote.Access;
using Gantry.Engine.Remote.Transport;
using Gantry.Oci;

namespace Gantry.Engine.Remote;

/// <summary>How a blob came to be where it was pushed to.</summary>
public enum BlobPush
{
    /// <summary>It was there.</summary>
    Present,

    /// <summary>The registry took it from another repository of its own.</summary>
    Mounted,

    Uploaded,
}

/// <summary>What the registry made of a pushed manifest.</summary>
/// <param name="Digest">Of the bytes pushed.</param>
/// <param name="HasReferrers">
/// The registry lists it as a referrer of its subject. Where the manifest has a subject and this is false, the pusher has to keep the list
/// under the subject's fallback tag itself (distribution-spec, "Pushing Manifests with Subject").
/// </param>
public sealed record ManifestPush(Digest Digest, bool HasReferrers);

public sealed partial class RemoteRepository
{
    private const int MaxSmallAnswer = 64 * 1024;

    /// <summary>Takes a blob from another repository of the same registry, without its bytes moving; false where the registry will not.</summary>
    public async Task<bool> MountBlobAsync(Digest digest, RepositoryName from, CancellationToken cancellationToken = default)
    {
        var answer = await StartUploadAsync(digest, from, cancellationToken);
        if (answer is null || answer.Status == HttpStatusCode.Created) return answer is not null;

        // It opened an upload instead, which nobody is going to fill; where that cannot be taken back, it expires.
        var cancel = new Call(HttpMethod.Delete, Name, "", What(digest)) { Actions = Call.PullAndPush, From = from, Address = LocationOf(answer, digest) };
        await Registry.AskAsync(cancel, MaxSmallAnswer, cancellationToken);
        return false;
    }

    /// <summary>Sees that the registry has the blob: asks for it first, then mounts it, where a source is given, then uploads it in one piece.</summary>
    /// <param name="content">Opens the bytes from their beginning, perhaps more than once; what it opens is disposed here.</param>
    /// <param name="mountFrom">Of the same registry; null or refused: the bytes are sent.</param>
    /// <exception cref="EngineException"><see cref="EngineFault.Mismatch"/> where the bytes given are fewer than the descriptor says, or other ones.</exception>
    public async Task<BlobPush> UploadBlobAsync(
        Descriptor blob, Func<Stream> content, RepositoryName? mountFrom = null, CancellationToken cancellationToken = default)
    {
        var head = new Call(HttpMethod.Head, Name, $"blobs/{blob.Digest}", What(blob.Digest)) { Actions = Call.PullAndPush };
        var tries = new Tries(_options);
        while (true)
        {
            // Asked before every try: the answer of the last one may be all that was lost.
            if (await HasAsync(head, cancellationToken)) return BlobPush.Present;

            Answer? start = mountFrom is { } from ? await StartUploadAsync(blob.Digest, from, cancellationToken) : null;
            if (start?.Status == HttpStatusCode.Created) return BlobPush.Mounted;
            start ??= await StartUploadAsync(blob.Digest, null, cancellationToken);

            try
            {
                await PutAsync(blob, start!, mountFrom, content, cancellationToken);
                return BlobPush.Uploaded;
            }
            catch (EngineException failed) when (Tries.IsPassing(failed))
            {
                if (!await tries.AgainAsync(null, cancellationToken)) throw;
                _options.Notes?.Invoke($"{failed.Message}; sending the blob again");
            }
        }
    }

    /// <summary>Pushes a manifest or index as it is, under a tag or its digest. Everything it names has to be there already.</summary>
    public async Task<ManifestPush> PutManifestAsync(
        Reference reference, ReadOnlyMemory<byte> content, string mediaType, CancellationToken cancellationToken = default)
    {
        var digest = Digest.Of(content.Span, reference.Digest?.Algorithm ?? DigestAlgorithm.Sha256);
        if (reference.Digest is { } asked && asked != digest)
            throw new EngineException(EngineFault.Mismatch, $"the manifest to be pushed as {asked} is {digest}");

        var call = new Call(HttpMethod.Put, Name, $"manifests/{reference}", What(reference))
        {
            Actions = Call.PullAndPush,
            Content = () => new ReadOnlyMemoryContent(content) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } },
        };
        var answer = await Registry.AskAsync(call, MaxSmallAnswer, cancellationToken);
        if (!IsSuccess(answer)) throw Registry.Failure(call, answer);
        CheckDigest(answer, digest, call);
        return new ManifestPush(digest, answer.Header("OCI-Subject") is not null);
    }

    /// <summary>201: mounted. 202: an upload to go on with. Null: the registry does not grant the source.</summary>
    private async Task<Answer?> StartUploadAsync(Digest digest, RepositoryName? from, CancellationToken cancellationToken)
    {
        var call = new Call(HttpMethod.Post, Name, from is null ? "blobs/uploads/" : $"blobs/uploads/?mount={digest}&from={from}", What(digest))
        {
            Actions = Call.PullAndPush, From = from, Content = () => new ByteArrayContent([]),
        };
        try
        {
            var answer = await Registry.AskAsync(call, MaxSmallAnswer, cancellationToken);
            if (answer.Status == HttpStatusCode.Accepted || (from is not null && answer.Status == HttpStatusCode.Created)) return answer;
            throw Registry.Failure(call, answer);
        }
        catch (EngineException refused) when (from is not null && refused.Fault is EngineFault.Denied or EngineFault.NotFound or EngineFault.Unsupported)
        {
            return null;
        }
    }

    private async Task PutAsync(Descriptor blob, Answer start, RepositoryName? mountFrom, Func<Stream> content, CancellationToken cancellationToken)
    {
        var location = LocationOf(start, blob.Digest);
        var call = new Call(HttpMethod.Put, Name, "", What(blob.Digest))
        {
            Actions = Call.PullAndPush, From = mountFrom,
            Address = new UriBuilder(location) { Query = $"{location.Query.TrimStart('?')}{(location.Query.Length > 1 ? "&" : "")}digest={blob.Digest}" }.Uri,
            Content = () => new SizedContent(content(), blob.Size) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } },
        };

        // Sent once: after a failure the upload is not where it was, and another one is begun.
        using var response = await Registry.SendAsync(call, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            var failed = await Registry.FailureAsync(call, response, cancellationToken);
            throw Tries.IsPassing(response.StatusCode) ? new EngineException(failed.Fault, failed.Message, new HttpRequestException("a passing failure")) : failed;
        }

        CheckDigest(new Answer(response.StatusCode, location, response.Headers, response.Content.Headers, []), blob.Digest, call);
    }

    /// <summary>Relative or absolute, on the registry itself: the bytes of a push go nowhere else.</summary>
    private Uri LocationOf(Answer start, Digest digest)
    {
        if (!Uri.TryCreate(start.Address, start.Header("Location"), out var location))
            throw new EngineException(EngineFault.Network, $"{Host} takes {What(digest)} without saying where");
        if (!Realm.IsSameOrigin(location, start.Address) || location.UserInfo.Length > 0)
            throw new EngineException(EngineFault.Refused, $"{Host} wants {What(digest)} sent to {RemoteText.Shown(location)}, another place than itself; its public address may be set wrong");
        return location;
    }

    private void CheckDigest(Answer answer, Digest digest, Call call)
    {
        if (Digest.TryParse(answer.Header("Docker-Content-Digest"), out var said) && said.Algorithm == digest.Algorithm && said != digest)
            throw new EngineException(EngineFault.Mismatch, $"{Host} took other bytes for {call.What}: {said}, not {digest}");
    }

    private static bool IsSuccess(Answer answer) => (int)answer.Status is >= 200 and < 300;
}
