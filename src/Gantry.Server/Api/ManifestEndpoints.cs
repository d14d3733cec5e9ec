using Gantry.Core.Browse;
using Gantry.Core.Removal;
using Gantry.Oci;

namespace Gantry.Server.Api;

/// <summary>Content that something points at.</summary>
/// <param name="Platform">As an index says it: <c>os/architecture[/variant]</c>; null: it does not.</param>
internal sealed record ContentReply(
    string MediaType, string Digest, long Size, string? ArtifactType, string? Platform, IReadOnlyDictionary<string, string>? Annotations)
{
    public static ContentReply Of(Descriptor content) => new(
        content.MediaType, $"{content.Digest}", content.Size, content.ArtifactType,
        content.Platform is { } on ? string.Join('/', new[] { on.Os, on.Architecture, on.Variant }.Where(part => part is not null)) : null,
        content.Annotations);
}

/// <summary>What an index names.</summary>
/// <param name="Platform">As the index says it, else as the image does; null: neither does.</param>
/// <param name="HeldBytes">Of all that it holds; null: it is not there, or not known yet.</param>
/// <param name="IsThere">A manifest of the repository.</param>
/// <param name="AttestationOf">The digest of what it is an attestation of; null: it is none.</param>
internal sealed record ChildReply(ContentReply Content, string? Platform, long? HeldBytes, bool IsThere, string? AttestationOf);

/// <summary>A step of the build and the layer that it made.</summary>
/// <param name="CreatedBy">The command; null where the history does not say.</param>
/// <param name="Layer">Its number in the manifest, from 0 on; null: it made none.</param>
/// <param name="LayerDigest">Of that layer.</param>
/// <param name="LayerSize">Of that layer, as it is stored.</param>
internal sealed record BuildStepReply(
    DateTimeOffset? CreatedAt, string? CreatedBy, string? Author, string? Comment, int? Layer, string? LayerDigest, long? LayerSize);

/// <summary>What an image's config says, as whoever pushed it wrote it.</summary>
/// <param name="StopTimeout">Seconds.</param>
/// <param name="Healthcheck">JSON as text; times in nanoseconds.</param>
/// <param name="Shell">What the shell form of commands is run by, in a build.</param>
/// <param name="OnBuild">Steps of a build that starts from the image.</param>
/// <param name="Others">What else stands in <c>config</c>, each as JSON text.</param>
internal sealed record ImageReply(
    string? Platform, string? OsVersion, DateTimeOffset? CreatedAt, string? Author, string? User, string? WorkingDir, string? StopSignal,
    IReadOnlyList<string> Entrypoint, IReadOnlyList<string> Cmd, IReadOnlyList<string> Env, IReadOnlyList<string> ExposedPorts,
    IReadOnlyList<string> Volumes, IReadOnlyDictionary<string, string> Labels, IReadOnlyList<string> DiffIds, IReadOnlyList<string> OsFeatures,
    long? StopTimeout, string? Healthcheck, IReadOnlyList<string> Shell, IReadOnlyList<string> OnBuild, IReadOnlyDictionary<string, string> Others)
{
    public static ImageReply Of(ImageConfig image) => new(
        image.Platform, image.OsVersion, image.Created, image.Author, image.User, image.WorkingDir, image.StopSignal, image.Entrypoint, image.Cmd,
        image.Env, image.ExposedPorts, image.Volumes, image.Labels, image.DiffIds, image.OsFeatures, image.StopTimeout, image.Healthcheck,
        image.Shell, image.OnBuild, image.Others);
}

/// <summary>A manifest; its bytes are what <c>/v2</c> serves.</summary>
/// <param name="Size">Of the manifest and all that it holds, each digest once; null where it could not be found out.</param>
/// <param name="ManifestSize">Of the manifest itself.</param>
/// <param name="Tags">That point at it, at most 100 of them.</param>
/// <param name="Config">Null where it has none, as an index.</param>
/// <param name="Manifests">Of an index, the first 1,000.</param>
/// <param name="Image">Null: it has no image config, or none that can be read.</param>
/// <param name="History">The build beside the layers that it made, oldest first; layers without a step follow.</param>
/// <param name="Subject">What it refers to; null: nothing.</param>
/// <param name="PushedAt">Its last push; null where nobody kept it.</param>
/// <param name="PushedBy">Null: nobody kept it, or it was pushed without an account.</param>
internal sealed record ManifestReply(
    string Digest, string MediaType, string? ArtifactType, long? Size, long ManifestSize, IReadOnlyList<string> Platforms, IReadOnlyList<string> Tags,
    ContentReply? Config, IReadOnlyList<ContentReply> Layers, IReadOnlyList<ChildReply> Manifests, ImageReply? Image,
    IReadOnlyList<BuildStepReply> History, IReadOnlyDictionary<string, string>? Annotations, ContentReply? Subject,
    DateTimeOffset FirstPushedAt, DateTimeOffset? PushedAt, string? PushedBy)
{
    public static ManifestReply Of(ManifestDetail detail) => new(
        $"{detail.Digest}", detail.MediaType, detail.ArtifactType, detail.Size, detail.Payload.Length,
        [.. (detail.Image?.Platform is { } own ? [own] : detail.Children.Where(child => child.AttestationOf is null).Select(child => child.Platform))
            .OfType<string>().Distinct(StringComparer.Ordinal)],
        [.. detail.Tags.Select(tag => $"{tag}")], Of(detail.Document?.Config), [.. detail.Document?.Layers.Select(ContentReply.Of) ?? []],
        [.. detail.Children.Select(child => new ChildReply(
            ContentReply.Of(child.Descriptor), child.Platform, child.Size, child.IsThere, child.AttestationOf?.ToString()))],
        detail.Image is { } image ? ImageReply.Of(image) : null, [.. detail.Steps.Select(Of)], detail.Document?.Annotations,
        Of(detail.Document?.Subject), detail.FirstPushedAt, detail.PushedAt, detail.PushedBy);

    private static ContentReply? Of(Descriptor? content) => content is null ? null : ContentReply.Of(content);

    private static BuildStepReply Of(BuildStep step) => new(
        step.History?.Created, step.History?.CreatedBy, step.History?.Author, step.History?.Comment, step.LayerNumber,
        step.Layer?.Digest.ToString(), step.Layer?.Size);
}

/// <summary>A signature, an SBOM, an attestation: something that refers to what stands above it.</summary>
/// <param name="Subject">The digest of what it refers to.</param>
/// <param name="Tag">The tag that makes it refer there, by the schemes from before referrers; null: its own subject does, or an index.</param>
/// <param name="Index">The digest of the index that names it as an attestation of one of its images, as BuildKit pushes them; null: it is no such attestation.</param>
/// <param name="Predicates">Of such an attestation: the types of what it says, as in-toto names them.</param>
/// <param name="Size">Of its manifest.</param>
/// <param name="Annotations">Null where it has none, or where the tree has more than it shows.</param>
/// <param name="Referrers">What refers to it.</param>
internal sealed record ReferrerReply(
    string Digest, string Subject, string MediaType, string? ArtifactType, string? Tag, string? Index, IReadOnlyList<string> Predicates, long Size,
    DateTimeOffset PushedAt, IReadOnlyDictionary<string, string>? Annotations, IReadOnlyList<ReferrerReply> Referrers)
{
    public static ReferrerReply Of(ReferrerNode node) => new(
        $"{node.Digest}", $"{node.Subject}", node.MediaType, node.ArtifactType, node.Tag?.ToString(), node.Index?.ToString(), node.Predicates, node.Size,
        node.PushedAt, node.Annotations, [.. node.Referrers.Select(Of)]);
}

/// <param name="Digest">Of the manifest that they refer to.</param>
/// <param name="Referrers">A tree of at most 500, five levels deep; at most <c>limit</c> of them refer to the manifest itself.</param>
/// <param name="IsWhole">Not where there are more: after these by <c>next</c>, and below one of these by its own referrers.</param>
/// <param name="Next">The path of the next page; null: this is the last.</param>
internal sealed record ReferrersReply(string Digest, IReadOnlyList<ReferrerReply> Referrers, bool IsWhole, string? Next) : IPaged;

internal static class ManifestEndpoints
{
    [EndpointSummary("A manifest, by tag or digest: config, layers, build history, platforms and annotations")]
    public static async Task<IResult> GetManifestAsync(ApiRequest request) => request.One(ManifestReply.Of(await FindAsync(request)));

    [EndpointSummary("What refers to a manifest, and what refers to that: signatures, SBOMs, attestations")]
    public static async Task<IResult> GetReferrersAsync(ApiRequest request)
    {
        var digest = request.Reference.Digest ?? (await FindAsync(request)).Digest;
        var (limit, after) = (request.Limit(), request.Query<Digest>("after", Digest.TryParse, ApiRequest.DigestFault));
        var forest = await request.Service<ReferrerTree>().PageAsync(request.Repository, digest, after, limit, request.Aborted) ?? throw request.NoRepository();
        return request.Ok(new ReferrersReply(
            $"{digest}", [.. forest.Referrers.Select(ReferrerReply.Of)], forest.IsWhole, request.NextOrNone(limit, forest.Next?.ToString())));
    }

    [EndpointSummary("Deletes a manifest with its tags; it can be restored until its grace is over")]
    public static async Task<IResult> DeleteManifestAsync(ApiRequest request) =>
        await request.Service<ContentRemoval>().RemoveManifestAsync(request.Repository, request.Digest, request.Actor, request.Aborted)
            ? ApiRequest.NoContent() : throw request.NoManifest();

    [EndpointSummary("What deleting a manifest would free")]
    public static async Task<IResult> PreviewManifestDeletionAsync(ApiRequest request) => request.Ok(DeletionReply.Of(
        await request.Service<DeletionPreview>().OfManifestAsync(request.Repository, request.Digest, request.Aborted) ?? throw request.NoManifest()));

    [EndpointSummary("Restores a manifest that was deleted, with all that it needs and those of its tags whose names are free")]
    public static async Task<IResult> RestoreManifestAsync(ApiRequest request) => request.Ok(RestoredReply.Of(
        await request.Service<ContentRestore>().RestoreManifestAsync(request.Repository, request.Digest, request.Actor, request.Aborted)
        ?? throw ApiException.NotFound($"{request.Repository} has no manifest {request.Digest} that was deleted and can be restored")));

    private static async Task<ManifestDetail> FindAsync(ApiRequest request) =>
        await request.Service<ManifestDetails>().FindAsync(request.Repository, request.Reference, request.Aborted) ?? throw request.NoManifest();
}
