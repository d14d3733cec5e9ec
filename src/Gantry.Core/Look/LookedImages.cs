using Gantry.Core.Look.Trees;
using Gantry.Core.Pull;
using Gantry.Oci;
using Gantry.Storage;
using Npgsql;

namespace Gantry.Core.Look;

/// <summary>
/// Opens images and layers to be looked into, by the same right as a pull: the manifest of the repository asked for, and its links. Who knows no more than a digest learns
/// nothing. Layers that were not read yet are put at the head of the queue.
/// </summary>
public sealed class LookedImages(NpgsqlDataSource database, ManifestPull manifests, LayerListings listings)
{
    private const string Find =
        """
        SELECT b.digest, b.size, b.location, s.state, s.version, s.error, s.diff_id, s.entries, s.bytes
        FROM repositories r JOIN blob_links l ON l.repository_id = r.id JOIN blobs b ON b.digest = l.digest LEFT JOIN layer_listings s ON s.digest = b.digest
        WHERE r.name = $1 AND l.digest = ANY ($2) AND l.deleted_at IS NULL AND b.quarantined_at IS NULL
        """;

    /// <summary>Null where the repository has no such manifest.</summary>
    internal async Task<LookedImage?> OpenAsync(RepositoryName repository, Reference reference, CancellationToken cancellationToken)
    {
        if (await manifests.ReadAsync(repository, reference, cancellationToken) is not { } manifest) return null;
        if (ImageShape.Read(manifest.Payload!, manifest.MediaType) is not { } document) return new LookedImage(repository, manifest.Digest, null, [], [], "not a manifest that can be read");
        if (ImageShape.WhyNot(document) is { } whyNot) return new LookedImage(repository, manifest.Digest, document, [], [], whyNot);
        return await OpenAsync(repository, manifest.Digest, document, [.. document.Layers.Select(layer => layer.Digest)], cancellationToken);
    }

    /// <summary>One layer alone; null where the repository has no such blob.</summary>
    internal async Task<LookedImage?> OpenLayerAsync(RepositoryName repository, Digest layer, CancellationToken cancellationToken)
    {
        var image = await OpenAsync(repository, layer, null, [layer], cancellationToken);
        return image.Locations[0] is null ? null : image;
    }

    internal LayerPages Pages(LookedImage image) => new(database, [.. image.Layers.Select(layer => layer.Digest)]);

    private async Task<LookedImage> OpenAsync(
        RepositoryName repository, Digest opened, ManifestDocument? document, List<Digest> digests, CancellationToken cancellationToken)
    {
        var found = await FindAsync(repository, digests, cancellationToken);
        List<Digest> unread = [.. found.Where(layer => layer.Value.IsUnread).Select(layer => layer.Key)];
        if (unread.Count > 0) await listings.AskAsync(unread, cancellationToken);
        var none = (Layer: (LookedLayer?)null, Location: (BlobLocation?)null, IsUnread: false);
        var layers = digests.ConvertAll(digest => found.GetValueOrDefault(digest, none));
        return new LookedImage(repository, opened, document,
            [.. layers.Select((layer, index) => layer.Layer ?? new LookedLayer(digests[index], 0, LookState.Failed, "the layer is not in this repository"))],
            layers.ConvertAll(layer => layer.Location), null);
    }

    private async Task<Dictionary<Digest, (LookedLayer? Layer, BlobLocation? Location, bool IsUnread)>> FindAsync(
        RepositoryName repository, List<Digest> digests, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Find);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = repository.ToString() });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. digests.Distinct().Select(digest => digest.ToString())] });
        var found = new Dictionary<Digest, (LookedLayer?, BlobLocation?, bool)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (digest, size) = (Digest.Parse(reader.GetString(0)), reader.GetInt64(1));
            var written = await reader.IsDBNullAsync(3, cancellationToken) ? "absent" : reader.GetString(3);
            var isOld = written is "ready" or "failed" && reader.GetInt32(4) != LayerIndexing.Version;
            var state = isOld ? LookState.Waiting : written switch
            {
                "ready" => LookState.Ready, "failed" => LookState.Failed, "reading" => LookState.Reading, _ => LookState.Waiting,
            };
            var isReady = state == LookState.Ready;
            var layer = new LookedLayer(digest, size, state, state == LookState.Failed ? reader.GetString(5) : null)
            {
                DiffId = isReady ? Digest.Parse(reader.GetString(6)) : null,
                Entries = isReady ? reader.GetInt64(7) : null,
                Bytes = isReady ? reader.GetInt64(8) : null,
            };
            found[digest] = (layer, new BlobLocation(reader.GetString(2)), state is LookState.Waiting or LookState.Reading);
        }

        return found;
    }
}

/// <param name="Repository">Through whose links it was opened.</param>
/// <param name="Digest">Of the manifest, or of the layer alone.</param>
/// <param name="Document">Null for a layer alone.</param>
/// <param name="Layers">The lowest first.</param>
/// <param name="Locations">Of their blobs; null where the repository has none.</param>
/// <param name="WhyNot">Why there is nothing to look into; null otherwise.</param>
internal sealed record LookedImage(
    RepositoryName Repository, Digest Digest, ManifestDocument? Document, IReadOnlyList<LookedLayer> Layers, List<BlobLocation?> Locations, string? WhyNot)
{
    public bool IsReady => WhyNot is null && Layers.All(layer => layer.State == LookState.Ready);

    public Looked<T> Answer<T>(T? value) where T : class => new(Layers, value, WhyNot);
}
