using System.Buffers;
using Gantry.Core.Pull;
using Gantry.Core.Push;
using Gantry.Core.Removal;
using Gantry.Oci;
using Microsoft.Net.Http.Headers;

namespace Gantry.Server.V2;

internal static class ManifestEndpoints
{
    public static async Task GetAsync(V2Request request)
    {
        var pull = request.Service<ManifestPull>();
        var head = HttpMethods.IsHead(request.Request.Method);
        var manifest = await (head
            ? pull.HeadAsync(request.Repository, request.Reference, request.Aborted)
            : pull.GetAsync(request.Repository, request.Reference, request.Aborted))
            ?? throw new OciException(OciErrorCode.ManifestUnknown);

        var response = request.Response;
        EntityTag.Write(response, manifest.Digest);
        if (EntityTag.IsKnown(request.Request, manifest.Digest))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        // Set as a header: the ContentType property is the same, but nothing may ever add a charset here.
        response.Headers.ContentType = manifest.MediaType;
        response.ContentLength = manifest.Size;
        if (!head) await response.BodyWriter.WriteAsync(manifest.Payload, request.Aborted);
    }

    /// <summary>
    /// Takes a manifest under a tag, or under a digest with any number of <c>tag</c> parameters (distribution-spec,
    /// "Pushing Manifests").
    /// </summary>
    public static async Task PutAsync(V2Request request)
    {
        var reference = request.Reference;
        var tags = Tags(request, reference);
        var payload = await ReadAsync(request);
        var digest = Digest.Of(payload, reference.Digest?.Algorithm ?? DigestAlgorithm.Sha256);
        if (reference.Digest is { } claimed && claimed != digest)
            throw new OciException(OciErrorCode.DigestInvalid, $"the manifest's digest is {digest}");

        var contentType = MediaTypeHeaderValue.TryParse(request.Request.ContentType, out var header)
            ? header.MediaType.Value : null;
        var document = ManifestDocument.Parse(payload, contentType);
        await request.Service<ManifestPush>().PushAsync(request.Repository,
            new ManifestToPush(digest, payload, document, tags), request.Actor, request.Aborted);

        var response = request.Response;
        response.StatusCode = StatusCodes.Status201Created;
        response.Headers.Location = request.ManifestUrl(digest);
        response.Headers[EntityTag.DigestHeader] = digest.ToString();
        if (document.Subject is { } subject) response.Headers["OCI-Subject"] = subject.Digest.ToString();
        if (reference.Tag is null) response.Headers.Append("OCI-Tag", tags.Select(tag => tag.ToString()).ToArray());
    }

    public static async Task DeleteAsync(V2Request request)
    {
        var removal = request.Service<ContentRemoval>();
        var reference = request.Reference;
        var removed = reference.Tag is { } tag
            ? await removal.RemoveTagAsync(request.Repository, tag, request.Actor, request.Aborted)
            : await removal.RemoveManifestAsync(request.Repository, reference.Digest!.Value, request.Actor, request.Aborted);
        if (!removed) throw new OciException(OciErrorCode.ManifestUnknown);
        request.Response.StatusCode = StatusCodes.Status202Accepted;
    }

    private static List<TagName> Tags(V2Request request, Reference reference)
    {
        if (reference.Tag is { } one) return [one];
        return [.. request.Request.Query["tag"]
            .Select(text => TagName.TryParse(text, out var tag) ? tag : throw V2Request.BadTag()).Distinct()];
    }

    /// <summary>The whole body, which may grow to <see cref="ManifestDocument.MaxBytes"/> and not further.</summary>
    private static async Task<byte[]> ReadAsync(V2Request request)
    {
        if (request.Request.ContentLength > ManifestDocument.MaxBytes) throw TooLarge();

        var reader = request.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(request.Aborted);
            if (read.Buffer.Length > ManifestDocument.MaxBytes)
            {
                // Given back, so that the rest of the body can be drained and the connection goes on.
                reader.AdvanceTo(read.Buffer.End);
                throw TooLarge();
            }

            if (read.IsCompleted)
            {
                var payload = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return payload;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static OciException TooLarge() => new(OciErrorCode.SizeInvalid,
        $"a manifest has at most {ManifestDocument.MaxBytes} bytes", StatusCodes.Status413PayloadTooLarge);
}
