using Gantry.Core.Browse;

namespace Gantry.Server.Api;

/// <summary>What a namespace holds, added up over its repositories as they were last counted.</summary>
/// <param name="Size">A blob that several of them hold counts for each.</param>
/// <param name="Own">What is in one repository of the whole registry alone.</param>
/// <param name="Uncounted">Repositories that changed since they were counted, or never were.</param>
internal sealed record NamespaceUsageReply(
    string Name, long Repositories, long Size, long Own, long Reclaimable, long Manifests, long Tags, long Uncounted)
{
    public static NamespaceUsageReply Of(NamespaceUsage usage) => new(
        usage.Name, usage.Repositories, usage.Size, usage.Own, usage.Reclaimable, usage.Manifests, usage.Tags, usage.Uncounted);
}

/// <summary>The whole store at one time.</summary>
/// <param name="Bytes">Of all blobs, each once.</param>
/// <param name="Doomed">Locations whose bytes are about to be deleted.</param>
internal sealed record SampleReply(DateTimeOffset At, long Blobs, long Bytes, long Doomed)
{
    public static SampleReply Of(StorageSample sample) => new(sample.At, sample.Blobs, sample.Bytes, sample.Doomed);
}

/// <summary>What the whole store holds.</summary>
/// <param name="Sample">Its blobs at the last full hour or so; null: nobody has looked yet.</param>
/// <param name="Linked">The sizes of all repositories added up: what it would be if none shared anything.</param>
internal sealed record StoreUsageReply(SampleReply? Sample, long Repositories, long Linked, long Reclaimable, long Manifests, long Tags);

/// <param name="Items">Oldest first, evenly thinned out.</param>
internal sealed record SamplesReply(IReadOnlyList<SampleReply> Items);

/// <summary>A server process.</summary>
/// <param name="Name">Of its machine.</param>
/// <param name="SeenAt">When it last said that it runs.</param>
internal sealed record NodeReply(int Number, string Name, string Version, DateTimeOffset StartedAt, DateTimeOffset SeenAt, NodeHealth Health)
{
    public static NodeReply Of(NodeInfo node) => new(node.Number, node.Name, node.Version, node.StartedAt, node.SeenAt, node.Health);
}

internal static class StoreEndpoints
{
    private const int UsualPoints = 200;
    private static readonly TimeSpan UsualTime = TimeSpan.FromDays(30), LongestTime = TimeSpan.FromDays(3660);

    [EndpointSummary("What the whole store holds")]
    public static async Task<IResult> GetStoreUsageAsync(ApiRequest request)
    {
        var usage = await request.Service<Usage>().OfStoreAsync(request.Aborted);
        return request.One(new StoreUsageReply(usage.Sample is { } sample ? SampleReply.Of(sample) : null, usage.Repositories, usage.Linked,
            usage.Reclaimable, usage.Manifests, usage.Tags));
    }

    [EndpointSummary("What each namespace holds, by name")]
    public static async Task<IResult> ListNamespaceUsageAsync(ApiRequest request)
    {
        var (limit, after) = (request.Limit(), request.Query("after"));
        var rows = await request.Service<Usage>().PageAsync(after, limit + 1, request.Aborted);
        return request.Ok(request.Page(rows, limit, NamespaceUsageReply.Of, row => row.Name));
    }

    [EndpointSummary("What a namespace holds")]
    public static async Task<IResult> GetNamespaceUsageAsync(ApiRequest request) => request.One(NamespaceUsageReply.Of(
        await request.Service<Usage>().OfNamespaceAsync(request.NamespaceName, request.Aborted)
        ?? throw ApiException.NotFound($"the namespace {request.Namespace.Name} is gone")));

    [EndpointSummary("The whole store over time, a sample an hour")]
    [Query("from", "The first moment; missing: 30 days before the last")]
    [Query("until", "The last moment; missing: now")]
    [Query("points", "The most samples to answer with, 1 to 1000; missing: 200")]
    public static async Task<IResult> ListSamplesAsync(ApiRequest request)
    {
        var until = request.QueryTime("until") ?? request.Service<TimeProvider>().GetUtcNow();
        var from = request.QueryTime("from") ?? (until - DateTimeOffset.MinValue > UsualTime ? until - UsualTime : DateTimeOffset.MinValue);
        if (from >= until || until - from > LongestTime) throw ApiException.BadRequest("from", "is before until, by ten years at most");
        var points = request.QueryId("points") ?? UsualPoints;
        if (points is < 1 or > StorageSamples.MaxPoints) throw ApiException.BadRequest("points", $"is a whole number from 1 to {StorageSamples.MaxPoints}");
        var samples = await request.Service<StorageSamples>().ListAsync(from, until, (int)points, request.Aborted);
        return request.Ok(new SamplesReply([.. samples.Select(SampleReply.Of)]));
    }

    [EndpointSummary("The server processes of this registry, and whether they run")]
    public static async Task<IResult> ListNodesAsync(ApiRequest request)
    {
        var nodes = await request.Service<NodeList>().ListAsync(request.Aborted);
        return request.Ok(request.PageOf(nodes, NodeReply.Of, node => node.Number));
    }
}
