using Gantry.Core.Browse;
using Gantry.Core.Pull;
using Gantry.Oci;

namespace Gantry.Server.Ui;

/// <summary>A manifest or its config as it was pushed, as a file to keep: <c>/v2</c> has the same, but knows no session. Memory: one document of 4 MiB at most.</summary>
internal static class ImageDocument
{
    /// <summary>Larger configs are nobody's; clients refuse them too.</summary>
    public const int MaxConfig = ImageConfigReader.MaxBytes;

    public static async Task AnswerAsync(HttpContext http)
    {
        var visit = Visit.Of(http);
        var reference = visit.Reference ?? throw PageException.NotFound();
        var manifest = await visit.Service<ManifestDetails>().FindAsync(visit.Repository, reference, visit.Aborted) ?? throw PageException.NotFound();
        var name = visit.Query("of") == "config" ? "config" : "manifest";
        var bytes = name == "manifest" ? manifest.Payload
            : manifest.Document?.Config is { } config ? await ReadConfigAsync(visit, config.Digest) : null;
        if (bytes is null) throw PageException.NotFound();
        // Never as what it says it is: these are somebody's bytes, under the address of our pages.
        http.Response.ContentType = "application/octet-stream";
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{name}.json\"";
        http.Response.ContentLength = bytes.Length;
        await http.Response.Body.WriteAsync(bytes, visit.Aborted);
    }

    /// <summary>Null: this repository has no such blob, or it is larger than <see cref="MaxConfig"/>.</summary>
    public static async Task<byte[]?> ReadConfigAsync(Visit visit, Digest digest) =>
        await visit.Service<BlobPull>().FindAsync(visit.Repository, digest, renew: false, visit.Aborted) is { } blob
            ? await visit.Service<ConfigBlobs>().ReadAsync(blob.Location, blob.Size, visit.Aborted) : null;
}
