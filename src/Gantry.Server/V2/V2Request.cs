using Gantry.Core.Access;
using Gantry.Core.Events;
using Gantry.Oci;
using Gantry.Server.Auth;
using Microsoft.AspNetCore.Http.Extensions;

namespace Gantry.Server.V2;

/// <summary>
/// A request under <c>/v2</c> whose path is understood and whose caller may do it: what every endpoint gets.
/// </summary>
internal sealed record V2Request(HttpContext Http, V2Path Path, RepositoryName Repository, Caller Caller)
{
    public HttpRequest Request => Http.Request;

    public HttpResponse Response => Http.Response;

    public CancellationToken Aborted => Http.RequestAborted;

    public Actor Actor => RequestAccess.ActorOf(Http, Caller.Account);

    public T Service<T>()
        where T : notnull => Http.RequestServices.GetRequiredService<T>();

    /// <summary>The path's last segment as a digest.</summary>
    public Digest Digest => ParseDigest(Path.Last);

    /// <summary>The path's last segment as a tag or a digest.</summary>
    public Reference Reference => Reference.TryParse(Path.Last, out var reference)
        ? reference
        : throw (Path.Last.Contains(':', StringComparison.Ordinal) ? BadDigest() : BadTag());

    /// <summary>A query parameter; null where it is missing or empty.</summary>
    public string? Query(string name) => Request.Query[name].FirstOrDefault() is { Length: > 0 } value ? value : null;

    /// <summary>A query parameter to look for in the database, whose texts hold any character but U+0000.</summary>
    public string? QueryText(string name) => Query(name) is not { } text || !text.Contains('\0', StringComparison.Ordinal)
        ? Query(name)
        : throw new OciException(OciErrorCode.Unsupported, $"{name} holds the character U+0000", StatusCodes.Status400BadRequest);

    /// <summary>A query parameter as a digest; null where it is missing.</summary>
    public Digest? QueryDigest(string name) => Query(name) is { } text ? ParseDigest(text) : null;

    /// <summary>Where the next page of a listing is (RFC 5988); the parameters given keep their place.</summary>
    public void LinkNext(params (string Name, string Value)[] parameters)
    {
        var query = new QueryBuilder(parameters.Select(pair => KeyValuePair.Create(pair.Name, pair.Value)));
        Response.Headers.Link = $"<{Request.PathBase}{Request.Path}{query}>; rel=\"next\"";
    }

    public string BlobUrl(Digest digest) => $"{Request.PathBase}/v2/{Repository}/blobs/{digest}";

    public string ManifestUrl(Reference reference) => $"{Request.PathBase}/v2/{Repository}/manifests/{reference}";

    public static OciException BadTag() => new(OciErrorCode.TagInvalid,
        "a tag is a letter, digit or underscore, then up to 127 of these, dots and dashes");

    public static OciException BadDigest() =>
        new(OciErrorCode.DigestInvalid, "a digest is sha256: or sha512: and its lowercase hex");

    private static Digest ParseDigest(string text) => Digest.TryParse(text, out var digest) ? digest : throw BadDigest();
}
