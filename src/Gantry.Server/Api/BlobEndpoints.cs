using Gantry.Core.Removal;

namespace Gantry.Server.Api;

internal static class BlobEndpoints
{
    [EndpointSummary("Restores a blob that was deleted by itself")]
    public static async Task<IResult> RestoreBlobAsync(ApiRequest request) => request.Ok(RestoredReply.Of(
        await request.Service<ContentRestore>().RestoreBlobAsync(request.Repository, request.Digest, request.Actor, request.Aborted)
        ?? throw ApiException.NotFound($"{request.Repository} has no blob {request.Digest} that was deleted and can be restored")));
}
