using Gantry.Core.Pull;
using Gantry.Core.Removal;
using Gantry.Oci;
using Gantry.Oci.Http;
using Gantry.Storage;

namespace Gantry.Server.V2;

internal static class BlobEndpoints
{
    private const string ContentType = "application/octet-stream";

    public static async Task GetAsync(V2Request request)
    {
        var pull = request.Service<BlobPull>();
        var head = HttpMethods.IsHead(request.Request.Method);
        var blob = await pull.FindAsync(request.Repository, request.Digest, renew: head, request.Aborted)
            ?? throw new OciException(OciErrorCode.BlobUnknown);

        var response = request.Response;
        EntityTag.Write(response, blob.Digest);
        response.Headers.AcceptRanges = "bytes";
        if (EntityTag.IsKnown(request.Request, blob.Digest))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        if (head)
        {
            response.ContentType = ContentType;
            response.ContentLength = blob.Size;
            return;
        }

        var header = EntityTag.AllowsRange(request.Request, blob.Digest) ? request.Request.Headers.Range.ToString() : null;
        var asked = ByteRanges.Parse(header, blob.Size);
        if (asked.Outcome == ByteRangesOutcome.Unsatisfiable)
        {
            response.Headers.ContentRange = $"bytes */{blob.Size}";
            throw new OciException(OciErrorCode.SizeInvalid, $"the blob has {blob.Size} bytes",
                StatusCodes.Status416RangeNotSatisfiable);
        }

        if (await request.Service<BlobRedirects>().TryAnswerAsync(request.Http, blob.Location)) return;

        response.ContentType = ContentType;
        // Of several ranges the first is expected: it is what a backend can ask for at once.
        BlobRange? first = asked.Ranges is [var next, ..] ? new BlobRange(next.Offset, next.Count) : null;
        await using var reader = await pull.OpenAsync(blob, first, request.Aborted);
        switch (asked.Ranges)
        {
            case []:
                response.ContentLength = blob.Size;
                await reader.CopyToAsync(response.BodyWriter, 0, blob.Size, request.Aborted);
                break;
            case [var range]:
                response.StatusCode = StatusCodes.Status206PartialContent;
                response.Headers.ContentRange = $"bytes {range.Offset}-{range.Last}/{blob.Size}";
                response.ContentLength = range.Count;
                await reader.CopyToAsync(response.BodyWriter, range.Offset, range.Count, request.Aborted);
                break;
            default:
                await new MultipartRanges(ContentType, asked.Ranges, blob.Size).WriteAsync(response, reader, request.Aborted);
                break;
        }
    }

    public static async Task DeleteAsync(V2Request request)
    {
        var removed = await request.Service<ContentRemoval>()
            .RemoveBlobAsync(request.Repository, request.Digest, request.Actor, request.Aborted);
        if (!removed) throw new OciException(OciErrorCode.BlobUnknown);
        request.Response.StatusCode = StatusCodes.Status202Accepted;
    }
}
