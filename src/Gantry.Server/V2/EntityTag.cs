using Gantry.Oci;
using Microsoft.Net.Http.Headers;

namespace Gantry.Server.V2;

/// <summary>A digest is the best entity tag there is: the same one means the same bytes.</summary>
internal static class EntityTag
{
    public const string DigestHeader = "Docker-Content-Digest";

    public static void Write(HttpResponse response, Digest digest)
    {
        response.Headers[DigestHeader] = digest.ToString();
        response.Headers.ETag = $"\"{digest}\"";
    }

    /// <summary>Whether <c>If-None-Match</c> says that the client has these bytes.</summary>
    public static bool IsKnown(HttpRequest request, Digest digest) =>
        request.Headers.IfNoneMatch.Count > 0
        && EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out var known)
        && known.Any(tag => tag.Equals(EntityTagHeaderValue.Any)
            || tag.Tag.AsSpan().Trim('"').SequenceEqual(digest.ToString()));

    /// <summary>Whether a range may be answered with a part: there is no <c>If-Range</c>, or it names these bytes.</summary>
    public static bool AllowsRange(HttpRequest request, Digest digest) =>
        request.Headers.IfRange.Count == 0
        || string.Equals(request.Headers.IfRange.ToString(), $"\"{digest}\"", StringComparison.Ordinal);
}
