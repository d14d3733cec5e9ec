using System.Text;
using Gantry.Oci.Http;
using Gantry.Storage;

namespace Gantry.Server.V2;

/// <summary>Several ranges of one blob in one answer, <c>multipart/byteranges</c> (RFC 9110, section 14.6).</summary>
internal sealed class MultipartRanges(string contentType, IReadOnlyList<ByteRange> ranges, long blobSize)
{
    private readonly string _boundary = $"gantry-{Guid.NewGuid():N}";

    public async Task WriteAsync(HttpResponse response, IBlobReader reader, CancellationToken cancellationToken)
    {
        response.StatusCode = StatusCodes.Status206PartialContent;
        response.ContentType = $"multipart/byteranges; boundary={_boundary}";
        var close = Encoding.ASCII.GetBytes($"\r\n--{_boundary}--\r\n");
        response.ContentLength = ranges.Sum(range => Head(range).Length + range.Count) + close.Length;
        foreach (var range in ranges)
        {
            await response.BodyWriter.WriteAsync(Head(range), cancellationToken);
            await reader.CopyToAsync(response.BodyWriter, range.Offset, range.Count, cancellationToken);
        }

        await response.BodyWriter.WriteAsync(close, cancellationToken);
    }

    private byte[] Head(ByteRange range) => Encoding.ASCII.GetBytes(
        $"\r\n--{_boundary}\r\nContent-Type: {contentType}\r\nContent-Range: bytes {range.Offset}-{range.Last}/{blobSize}\r\n\r\n");
}
