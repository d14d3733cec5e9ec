using Gantry.Core.GarbageCollection;
using Gantry.Server.Workers;
using Microsoft.Extensions.Options;

namespace Gantry.Server.Api;

/// <summary>What waits for a review or for its time; no number goes beyond 10,001, which says that there are more.</summary>
/// <param name="Manifests">Deleted ones, whose grace may still run.</param>
/// <param name="Links">Of repositories to blobs, that nothing may need any more; those of fresh pushes among them.</param>
/// <param name="Uploads">Unfinished ones, running or resting.</param>
/// <param name="Locations">Whose bytes are to be deleted.</param>
internal sealed record GcWaitingReply(int Manifests, int Links, int Blobs, int Uploads, int Locations);

/// <param name="Enabled">Whether this node collects while it serves.</param>
/// <param name="IsRunning">Whether a node does a whole run that somebody asked for. Its begin and its end are events, gc.run.</param>
/// <param name="GraceSeconds">How long what was deleted can be restored.</param>
/// <param name="ByteDelaySeconds">How long bytes stay after that.</param>
internal sealed record GcReply(bool Enabled, bool IsRunning, long GraceSeconds, long ByteDelaySeconds, GcWaitingReply Waiting);

/// <summary>What a run would take of one kind.</summary>
/// <param name="Kind">manifest, link, blob, untagged (a rule would hide it), upload, orphan or bytes (of a row that went before).</param>
/// <param name="Bytes">As far as they are known.</param>
/// <param name="Names">Of the first 100.</param>
internal sealed record GcKindReply(string Kind, long Count, long Bytes, IReadOnlyList<string> Names);

/// <param name="Items">Only kinds of which there is something, in the order in which a run gets to them.</param>
internal sealed record GcPreviewReply(IReadOnlyList<GcKindReply> Items);

internal static class GarbageCollectionEndpoints
{
    private const int Named = 100;

    [EndpointSummary("The state of garbage collection")]
    public static async Task<IResult> GetGcAsync(ApiRequest request) => request.One(await StateAsync(request));

    [EndpointSummary("What a whole run would remove now; it removes nothing, and may take long")]
    public static async Task<IResult> PreviewGcAsync(ApiRequest request)
    {
        var found = await request.Service<GcPreview>().CountAsync(Named, request.Aborted);
        return request.Ok(new GcPreviewReply([.. found.Select(kind => new GcKindReply(kind.Kind, kind.Count, kind.Bytes, kind.Names))]));
    }

    [EndpointSummary("Begins a whole run on the node that answers, unless a node does one already, and does not wait for its end")]
    public static async Task<IResult> RunGcAsync(ApiRequest request)
    {
        if (!await request.Service<GarbageCollectionRun>().TryStartAsync(request.Actor, request.Aborted)) throw ApiException.Conflict("a run is in progress already");
        return request.Accepted("/gc", await StateAsync(request));
    }

    private static async Task<GcReply> StateAsync(ApiRequest request)
    {
        var options = request.Service<IOptions<GcOptions>>().Value;
        var waiting = await request.Service<GcBacklog>().CountAsync(request.Aborted);
        var isRunning = await request.Service<AskedRun>().IsUnderWayAsync(request.Aborted);
        return new GcReply(options.Enabled, isRunning, (long)options.Grace.TotalSeconds, (long)options.ByteDelay.TotalSeconds,
            new GcWaitingReply(waiting.Manifests, waiting.Links, waiting.Blobs, waiting.Uploads, waiting.Locations));
    }
}
