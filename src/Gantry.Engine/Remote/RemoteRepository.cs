using Gantry.Engine.Remote.Transport;
using Gantry.Oci;

namespace Gantry.Engine.Remote;

/// <summary>
/// One repository of one registry. Reading asks the mirrors first, in order, and the registry last; whatever fails at one is tried at the
/// next, and the registry's own refusal is the one that is told. Pushes and lists ask the registry alone.
/// </summary>
/// <remarks>
/// Every member throws <see cref="EngineException"/> and, on cancellation, <see cref="OperationCanceledException"/>, nothing else.
/// Safe for any number of threads.
/// </remarks>
public sealed partial class RemoteRepository
{
    /// <summary>What <see cref="GetManifestAsync"/> says it takes: all that can be handled, in no order.</summary>
    private static readonly IReadOnlyList<string> AnyManifest =
        [MediaTypes.OciIndex, MediaTypes.OciManifest, MediaTypes.DockerManifestList, MediaTypes.DockerManifest];

    private readonly IReadOnlyList<Endpoint> _endpoints;
    private readonly Lazy<Wires> _foreign;
    private readonly RemoteOptions _options;

    internal RemoteRepository(string host, RepositoryName name, IReadOnlyList<Endpoint> endpoints, Lazy<Wires> foreign, RemoteOptions options) =>
        (Host, Name, _endpoints, _foreign, _options) = (host, name, endpoints, foreign, options);

    public string Host { get; }

    public RepositoryName Name { get; }

    private Endpoint Registry => _endpoints[^1];

    /// <summary>A manifest or index, its digest computed and compared.</summary>
    /// <param name="accept">Media types wanted; null: every kind of manifest and index that there is, but for schema 1.</param>
    /// <exception cref="EngineException">
    /// <see cref="EngineFault.NotFound"/>; <see cref="EngineFault.Mismatch"/> where no endpoint has the bytes of the digest asked for;
    /// <see cref="EngineFault.TooLarge"/> past 4 MiB.
    /// </exception>
    public Task<RemoteDocument> GetManifestAsync(Reference reference, IReadOnlyList<string>? accept = null, CancellationToken cancellationToken = default)
    {
        var call = new Call(HttpMethod.Get, Name, $"manifests/{reference}", What(reference)) { Accept = accept ?? AnyManifest };
        return FromAnyAsync(async endpoint =>
        {
            var answer = await endpoint.AskAsync(call, ManifestDocument.MaxBytes, cancellationToken);
            if (answer.Status != System.Net.HttpStatusCode.OK) throw endpoint.Failure(call, answer);
            return Verified(endpoint, call, reference, answer);
        });
    }

    /// <summary>
    /// What a tag points at now, without fetching it; null where the registry does not say (then fetch it). The digest is the registry's
    /// word: good for noticing that nothing changed, not for trusting it.
    /// </summary>
    /// <exception cref="EngineException"><see cref="EngineFault.NotFound"/> and the others.</exception>
    public Task<Descriptor?> ResolveAsync(Reference reference, CancellationToken cancellationToken = default)
    {
        var call = new Call(HttpMethod.Head, Name, $"manifests/{reference}", What(reference)) { Accept = AnyManifest };
        return FromAnyAsync(async endpoint =>
        {
            var answer = await endpoint.AskAsync(call, 0, cancellationToken);
            if (answer.Status != System.Net.HttpStatusCode.OK) throw endpoint.Failure(call, answer);
            return Digest.TryParse(answer.Header("Docker-Content-Digest"), out var digest) && answer is { MediaType: { } type, ContentHeaders.ContentLength: { } size }
                ? new Descriptor(type, reference.Digest ?? digest, size) : null;
        });
    }

    private static RemoteDocument Verified(Endpoint endpoint, Call call, Reference reference, Answer answer)
    {
        // Of what was asked for by digest, only that digest counts; of a tag, the registry's own word must fit its bytes.
        var wanted = reference.Digest ?? (Digest.TryParse(answer.Header("Docker-Content-Digest"), out var said) ? said : null);
        var digest = Digest.Of(answer.Body, wanted?.Algorithm ?? DigestAlgorithm.Sha256);
        if (wanted is { } expected && digest != expected)
            throw new EngineException(EngineFault.Mismatch, $"{endpoint.Host} sends other bytes for {call.What}: they are {digest}, not {expected}");
        return new RemoteDocument(answer.MediaType, digest, answer.Body);
    }

    private string What(Reference reference) => $"{(reference.Tag is null ? "the manifest" : "the tag")} {reference} of {Name}";

    /// <summary>The first endpoint's result that is one; the registry's failure where none has any.</summary>
    private async Task<T> FromAnyAsync<T>(Func<Endpoint, Task<T>> ask)
    {
        foreach (var mirror in _endpoints.SkipLast(1).Where(mirror => !mirror.IsDown))
        {
            try
            {
                return await ask(mirror);
            }
            catch (EngineException failed)
            {
                PassOver(mirror, failed);
            }
        }

        return await ask(Registry);
    }

    private void PassOver(Endpoint mirror, EngineException failed)
    {
        if (failed.Fault == EngineFault.Network) mirror.MarkDown();
        _options.Notes?.Invoke($"{mirror.Host} is passed over: {failed.Message}");
    }
}
