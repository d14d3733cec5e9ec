using Gantry.Core.Push;
using Gantry.Oci;
using Gantry.Oci.Http;
using Gantry.Storage;

namespace Gantry.Server.V2;

internal static class BlobUploadEndpoints
{
    /// <summary>
    /// Begins an upload; mounts instead where that is asked for and possible; completes at once where the request holds
    /// the whole blob (distribution-spec, "Pushing blobs").
    /// </summary>
    public static async Task StartAsync(V2Request request)
    {
        if (request.QueryDigest("mount") is { } mount && await TryMountAsync(request, mount)) return;

        var digest = request.QueryDigest("digest");
        var algorithm = digest?.Algorithm ?? Algorithm(request);
        var sessions = request.Service<UploadSessions>();
        var upload = await sessions.StartAsync(request.Repository, algorithm, request.Caller.Account, request.Aborted);
        if (digest is { } whole)
        {
            try
            {
                await CloseAsync(request, upload.Id, whole);
            }
            catch
            {
                // The client was never told the id: nobody could go on with what arrived.
                await sessions.CancelAsync(request.Repository, upload.Id, CancellationToken.None);
                throw;
            }

            return;
        }

        if (request.Service<IUploadStaging>().ChunkMinLength is > 0 and var length)
            request.Response.Headers["OCI-Chunk-Min-Length"] = $"{length}";
        Accepted(request, upload);
    }

    public static async Task AppendAsync(V2Request request) =>
        Accepted(request, await request.Service<UploadSessions>().AppendAsync(request.Repository, SessionId(request),
            Range(request), request.Request.BodyReader, request.Aborted));

    public static Task CloseAsync(V2Request request) => CloseAsync(request, SessionId(request),
        request.QueryDigest("digest") ?? throw new OciException(OciErrorCode.DigestInvalid, "the digest parameter is missing"));

    public static async Task GetAsync(V2Request request)
    {
        var upload = await request.Service<UploadSessions>().FindAsync(request.Repository, SessionId(request), request.Aborted)
            ?? throw Unknown();
        WriteStatus(request.Http, upload);
        request.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public static async Task CancelAsync(V2Request request)
    {
        if (!await request.Service<UploadSessions>().CancelAsync(request.Repository, SessionId(request), request.Aborted))
            throw Unknown();
        request.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>
    /// Where an upload is and how far it got. The location is relative: scheme, host and port stay those the client used,
    /// whatever proxies are between. Nothing received is <c>0-0</c>, as at the start: the header has no word for none.
    /// </summary>
    public static void WriteStatus(HttpContext http, UploadStatus upload)
    {
        var path = http.Request.Path.Value!;
        var uploads = path[..(path.LastIndexOf("/uploads", StringComparison.Ordinal) + "/uploads".Length)];
        http.Response.Headers.Location = $"{http.Request.PathBase}{uploads}/{upload.Id}";
        http.Response.Headers["Docker-Upload-UUID"] = upload.Id.ToString();
        http.Response.Headers.Range = $"0-{Math.Max(0, upload.Offset - 1)}";
    }

    private static async Task<bool> TryMountAsync(V2Request request, Digest digest)
    {
        // A source that is no repository name cannot hold the blob; that is a miss like any other.
        var named = request.Query("from");
        var from = RepositoryName.TryParse(named, out var source) ? source : (RepositoryName?)null;
        if (named is not null && from is null) return false;

        var mounted = await request.Service<BlobMount>()
            .TryMountAsync(request.Repository, digest, from, request.Caller, request.Actor, request.Aborted);
        if (mounted) Created(request, digest);
        return mounted;
    }

    private static async Task CloseAsync(V2Request request, Guid id, Digest digest)
    {
        await request.Service<BlobCommit>().CloseAsync(request.Repository, id, digest, Range(request),
            request.Request.BodyReader, request.Actor, request.Aborted);
        Created(request, digest);
    }

    private static void Accepted(V2Request request, UploadStatus upload)
    {
        WriteStatus(request.Http, upload);
        request.Response.StatusCode = StatusCodes.Status202Accepted;
    }

    private static void Created(V2Request request, Digest digest)
    {
        request.Response.Headers.Location = request.BlobUrl(digest);
        request.Response.Headers[EntityTag.DigestHeader] = digest.ToString();
        request.Response.StatusCode = StatusCodes.Status201Created;
    }

    private static DigestAlgorithm Algorithm(V2Request request)
    {
        if (request.Query("digest-algorithm") is not { } name) return DigestAlgorithm.Sha256;
        return DigestAlgorithms.TryParse(name, out var algorithm)
            ? algorithm
            : throw new OciException(OciErrorCode.DigestInvalid, "digest-algorithm is sha256 or sha512");
    }

    private static ContentRange? Range(V2Request request)
    {
        if (request.Request.Headers.ContentRange.Count == 0) return null;
        if (!ContentRange.TryParse(request.Request.Headers.ContentRange, out var range))
            throw new OciException(OciErrorCode.BlobUploadInvalid, "Content-Range is first-last, in bytes, both included");
        return request.Request.ContentLength is { } length && length != range.Length
            ? throw new OciException(OciErrorCode.SizeInvalid,
                $"Content-Range names {range.Length} bytes, Content-Length {length}")
            : range;
    }

    private static Guid SessionId(V2Request request) => Guid.TryParse(request.Path.Last, out var id) ? id : throw Unknown();

    private static OciException Unknown() => new(OciErrorCode.BlobUploadUnknown);
}
