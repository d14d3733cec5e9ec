using System.Globalization;
using System.Text;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Chaos;

internal sealed partial class ChaosWorker
{
    private const int Attempts = 10;

    private async Task PushBlobAsync(BlobEntry blob)
    {
        var closed = _random.Next(3) switch
        {
            0 => await SinglePostAsync(blob),
            1 => await UploadAsync(blob, []),
            _ => await UploadAsync(blob, [.. Enumerable.Range(0, _random.Next(1, 6)).Select(_ => _random.Next(blob.Content.Length)).Where(cut => cut > 0).Distinct().Order()]),
        };
        if (closed is { } at)
        {
            (blob.State, blob.Hidden) = (Presence.Present, null);
            blob.Promise(at + Book.Grace);
        }
        else if (blob.State == Presence.Absent) (blob.State, blob.Hidden) = (Presence.Open, null);
    }

    private async Task<TimeSpan?> SinglePostAsync(BlobEntry blob)
    {
        var post = await SendAsync(HttpMethod.Post, $"/v2/{Repository}/blobs/uploads/?digest={blob.Digest}", blob.Content);
        if (post is null || post.IsFault) return null;
        return post.Status == 201 ? post.Span.Begun : throw Fault($"the push of {blob.Digest} was answered {post.Status}");
    }

    /// <summary>
    /// By chunks, going on wherever the server says the upload stands. When the first close was begun; null where no
    /// close was answered.
    /// </summary>
    private async Task<TimeSpan?> UploadAsync(BlobEntry blob, int[] cuts)
    {
        var post = await SendAsync(HttpMethod.Post, $"/v2/{Repository}/blobs/uploads/");
        if (post is null || post.IsFault) return null;
        if (post.Status != 202) throw Fault($"an upload was answered {post.Status}");

        var (location, acknowledged, sent) = (post.Headers.Location!.ToString(), 0, 0);
        TimeSpan? closing = null;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var isLost = false;
            foreach (var cut in closing is null ? cuts.Where(cut => cut > acknowledged) : [])
            {
                sent = Math.Max(sent, cut);
                var patch = await SendAsync(HttpMethod.Patch, location, blob.Content[acknowledged..cut], range: $"{acknowledged}-{cut - 1}");
                isLost = patch is null || patch.IsFault || patch.Status == 416;
                if (isLost) break;
                if (patch!.Status != 202) throw Fault($"a chunk of {location} was answered {patch.Status}");
                acknowledged = cut;
            }

            if (!isLost)
            {
                closing ??= Book.Now;
                sent = blob.Content.Length;
                var put = await SendAsync(HttpMethod.Put, RegistryClient.WithDigest(location, blob.Digest), blob.Content[acknowledged..]);
                if (put is { Status: 201 }) return closing;
                if (put is { IsFault: false, Status: not (404 or 416) }) throw Fault($"the close of {location} was answered {put.Status}");
            }

            // What became of it?
            var status = await SendAsync(HttpMethod.Get, location);
            if (status is null || status.IsFault) continue;
            if (status.Status == 404)
            {
                // Only a commit ends an upload; then the same close succeeds, as long as the blob is there.
                if (closing is null) throw Fault($"the upload {location} is gone at {acknowledged}");
                var again = await SendAsync(HttpMethod.Put, RegistryClient.WithDigest(location, blob.Digest), []);
                if (again is { Status: 201 }) return closing;
                if (again is { Status: 404 } && again.Span.Ended < closing + Book.Grace)
                    throw Fault($"the upload {location} is gone, and what it closed as too");
                if (again is { IsFault: false }) return null;
                continue;
            }

            var last = int.Parse(status.Headers.GetValues("Range").Single().Split('-')[1], CultureInfo.InvariantCulture);
            var offset = last == 0 ? acknowledged == 1 ? 1 : 0 : last + 1;
            if (offset < acknowledged || offset > sent) throw Fault($"{location} stands at {offset}; {acknowledged} acknowledged, {sent} sent");
            acknowledged = offset;
        }

        return null;
    }

    private async Task MountAsync()
    {
        var blob = Book.Blob(run.SharedContent(_random.Next(ChaosRun.SharedContents)));
        var from = ChaosRun.RepositoryBeside(number, _random);
        var post = await SendAsync(HttpMethod.Post, $"/v2/{Repository}/blobs/uploads/?mount={blob.Digest}&from={from}");
        if (post is { Status: 201 })
        {
            (blob.State, blob.Hidden) = (Presence.Present, null);
            blob.Promise(post.Span.Begun + Book.Grace);
        }
        else if (post is { Status: 202 }) await SendAsync(HttpMethod.Delete, post.Headers.Location!.ToString());
        else if (post is null || post.IsFault)
        {
            if (blob.State == Presence.Absent) (blob.State, blob.Hidden) = (Presence.Open, null);
        }
        else throw Fault($"a mount was answered {post.Status}");
    }

    private async Task PushImageAsync()
    {
        var layers = Enumerable.Range(0, _random.Next(1, 4))
            .Select(_ => _random.Next(2) == 0 ? Pick(Book.Blobs.Values) ?? NextBlob() : NextBlob()).Distinct().ToList();
        var config = Book.Blob(RegistryClient.EmptyConfig);
        foreach (var blob in layers.Append(config))
        {
            // As clients do: what is there is not sent again. One in eight trusts its luck.
            if (_random.Next(8) == 0) continue;
            if (!await LookAtBlobAsync(blob, head: true)) await PushBlobAsync(blob);
        }

        var subject = _random.Next(5) == 0 ? Pick(Book.Manifests.Values)?.Digest : null;
        var json = RegistryClient.ImageJson([.. layers.Select(layer => layer.Content)], subject, subject is null ? null : "application/chaos",
            new Dictionary<string, string> { ["made"] = $"{number}-{Steps}" });
        await PutManifestAsync(Entry(json, MediaTypes.OciManifest, [.. layers.Append(config).Select(blob => blob.Digest).Distinct()], [], subject), NextTag());
    }

    private async Task PushIndexAsync()
    {
        var children = Enumerable.Range(0, _random.Next(1, 4)).Select(_ => Pick(Book.Manifests.Values)).OfType<ManifestEntry>()
            .Where(manifest => manifest.State == Presence.Present).Distinct().ToList();
        if (children.Count > 0) await PutManifestAsync(IndexOf(children), NextTag());
    }

    private async Task MoveTagAsync()
    {
        if (Pick(Book.Manifests.Values) is { } manifest) await PutManifestAsync(manifest, $"t{_random.Next(6)}");
    }

    private async Task<Answer?> PutManifestAsync(ManifestEntry manifest, string? name)
    {
        var tag = name is null ? null : Book.Tag(name);
        var put = await SendAsync(HttpMethod.Put, $"/v2/{Repository}/manifests/{name ?? manifest.Digest.ToString()}", manifest.Payload, manifest.MediaType);
        tag?.Places.Add(manifest.Digest);
        switch (put)
        {
            case { Status: 201 }:
                foreach (var blob in manifest.Blobs.Where(blob => Book.Blobs[blob].State == Presence.Absent))
                    throw Fault($"{manifest.Digest} was taken and needs {blob}, which is gone");
                foreach (var child in manifest.Children.Where(child => Book.Manifests[child].State == Presence.Absent))
                    throw Fault($"{manifest.Digest} was taken and needs {child}, which is gone");
                Book.IsLive(manifest);
                tag?.Set(manifest.Digest);
                break;
            case { Status: 400 or 404 }:
                if (manifest.Blobs.All(blob => Book.MustBeThere(Book.Blobs[blob], put.Span.Ended))
                    && manifest.Children.All(child => Book.MustBeThere(Book.Manifests[child])))
                    throw Fault($"{manifest.Digest} was refused, and all that it needs must be there: {Encoding.UTF8.GetString(put.Body)}");
                break;
            case null or { IsFault: true }:
                if (manifest.State == Presence.Absent) (manifest.State, manifest.Hidden) = (Presence.Open, null);
                if (tag is not null) (_, tag.Gone) = (tag.Allowed.Add(manifest.Digest), null);
                break;
            default:
                throw Fault($"the push of {manifest.Digest} was answered {put.Status}");
        }

        return put;
    }

    private ManifestEntry Entry(string json, string mediaType, Digest[] blobs, Digest[] children, Digest? subject)
    {
        var entry = new ManifestEntry(Encoding.UTF8.GetBytes(json), mediaType, blobs, children, subject);
        return Book.Manifests.TryGetValue(entry.Digest, out var known) ? known : Book.Manifests[entry.Digest] = entry;
    }

    private ManifestEntry IndexOf(List<ManifestEntry> children) => Entry(
        RegistryClient.IndexJson([.. children.Select(child => (child.MediaType, child.Digest, (long)child.Payload.Length))]),
        MediaTypes.OciIndex, [], [.. children.Select(child => child.Digest)], null);

    private string? NextTag() => _random.Next(3) == 0 ? null : $"t{_random.Next(6)}";
}
