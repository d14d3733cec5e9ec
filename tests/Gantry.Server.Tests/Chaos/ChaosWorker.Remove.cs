using Gantry.Core.Events;
using Gantry.Core.Removal;
using Gantry.Oci;

namespace Gantry.Server.Tests.Chaos;

internal sealed partial class ChaosWorker
{
    private async Task DeleteTagAsync()
    {
        if (Book.Tags.Count == 0) return;
        var (name, tag) = Book.Tags.ElementAt(_random.Next(Book.Tags.Count));
        var answer = await SendAsync(HttpMethod.Delete, $"/v2/{Repository}/manifests/{name}");
        var from = tag.Allowed.Count == 1 ? tag.Allowed.Single() : null;
        switch (answer)
        {
            case { Status: 202 }:
                if (!tag.Allowed.Any(place => place is not null)) throw Fault($"the tag {name} was deleted twice");
                tag.Set(null);
                if (from is { } place) tag.Gone = (answer.Span, place, false);
                break;
            case { Status: 404 }:
                if (!tag.Allowed.Contains(null)) throw Fault($"the tag {name} is gone");
                // A removal whose answer was lost, or none at all: what it was gone by stays what it is.
                tag.Allowed.RemoveWhere(place => place is not null);
                break;
            case null or { IsFault: true }:
                tag.Allowed.Add(null);
                tag.Gone = null;
                break;
            default:
                throw Fault($"DELETE of the tag {name} was answered {answer.Status}");
        }
    }

    private async Task<Answer?> DeleteManifestAsync(ManifestEntry? manifest)
    {
        if (manifest is null) return null;
        var digest = manifest.Digest;
        var begun = Book.Now;
        var answer = await SendAsync(HttpMethod.Delete, $"/v2/{Repository}/manifests/{digest}");
        switch (answer)
        {
            case { Status: 202 }:
                if (Book.IsHeldByIndex(digest)) throw Fault($"{digest} was deleted, and an index needs it");
                if (manifest.State == Presence.Absent) throw Fault($"{digest} was deleted twice");
                (manifest.State, manifest.Hidden) = (Presence.Absent, answer.Span);
                Book.PromiseBlobsOf(manifest, begun);
                foreach (var tag in Book.Tags.Values.Where(tag => tag.Allowed.Contains(digest)))
                {
                    var isCertain = tag.Allowed.Count == 1;
                    tag.Allowed.Remove(digest);
                    tag.Allowed.Add(null);
                    tag.Gone = isCertain ? (answer.Span, digest, true) : null;
                }

                break;
            case { Status: 404 }:
                if (Book.MustBeThere(manifest)) throw Fault($"{digest} is gone");
                manifest.State = Presence.Absent;
                break;
            case { Status: 409 }:
                if (!Book.MayBeHeldByIndex(digest)) throw Fault($"{digest} cannot be deleted, and no index needs it");
                break;
            case null or { IsFault: true }:
                if (manifest.State == Presence.Absent) break;
                Book.PromiseBlobsOf(manifest, begun);
                (manifest.State, manifest.Hidden) = (Presence.Open, null);
                foreach (var tag in Book.Tags.Values.Where(tag => tag.Allowed.Contains(digest))) (_, tag.Gone) = (tag.Allowed.Add(null), null);
                break;
            default:
                throw Fault($"DELETE of {digest} was answered {answer.Status}");
        }

        return answer;
    }

    private async Task<Answer?> DeleteBlobAsync(BlobEntry? blob)
    {
        if (blob is null) return null;
        var answer = await SendAsync(HttpMethod.Delete, $"/v2/{Repository}/blobs/{blob.Digest}");
        switch (answer)
        {
            case { Status: 202 }:
                if (Book.IsHeld(blob.Digest)) throw Fault($"{blob.Digest} was deleted, and a manifest needs it");
                if (blob.State == Presence.Absent) throw Fault($"{blob.Digest} was deleted twice");
                (blob.State, blob.Hidden) = (Presence.Absent, answer.Span);
                break;
            case { Status: 404 }:
                if (Book.MustBeThere(blob, answer.Span.Ended)) throw Fault($"{blob.Digest} is gone");
                blob.State = Presence.Absent;
                break;
            case { Status: 409 }:
                if (!Book.MayBeHeld(blob.Digest)) throw Fault($"{blob.Digest} cannot be deleted, and no manifest needs it");
                break;
            case null or { IsFault: true }:
                if (blob.State != Presence.Absent) (blob.State, blob.Hidden) = (Presence.Open, null);
                break;
            default:
                throw Fault($"DELETE of {blob.Digest} was answered {answer.Status}");
        }

        return answer;
    }

    /// <summary>A push and the DELETE of what it needs, at once: one of them wins, never both.</summary>
    private async Task RaceAsync()
    {
        if (_random.Next(2) == 0)
        {
            if (Book.Manifests.Values.FirstOrDefault(m => m.State == Presence.Present && !Book.MayBeHeldByIndex(m.Digest)) is not { } child) return;
            var (put, delete) = await BothAsync(IndexOf([child]), $"manifests/{child.Digest}");
            if (put && delete) throw Fault($"an index was taken, and {child.Digest} that it needs was deleted");
            return;
        }

        var layer = NextBlob();
        if (layer.State != Presence.Absent || Book.MayBeHeld(layer.Digest)) return;
        var config = Book.Blob(Gantry.TestKit.RegistryClient.EmptyConfig);
        await PushBlobAsync(config);
        await PushBlobAsync(layer);
        var json = Gantry.TestKit.RegistryClient.ImageJson([layer.Content], annotations: new Dictionary<string, string> { ["raced"] = $"{Steps}" });
        var (took, removed) = await BothAsync(Entry(json, MediaTypes.OciManifest, [layer.Digest, config.Digest], [], null), $"blobs/{layer.Digest}");
        if (took && removed) throw Fault($"a manifest was taken, and {layer.Digest} that it needs was deleted");
    }

    // The outcome is left to looks: whatever the two answers say, the states are open until then.
    private async Task<(bool Put, bool Delete)> BothAsync(ManifestEntry manifest, string victim)
    {
        var begun = Book.Now;
        var put = SendAsync(HttpMethod.Put, $"/v2/{Repository}/manifests/{manifest.Digest}", manifest.Payload, manifest.MediaType);
        var delete = SendAsync(HttpMethod.Delete, $"/v2/{Repository}/{victim}");
        await Task.WhenAll(put, delete);
        var (took, removed) = (await put is { Status: 201 }, await delete is { Status: 202 });
        if (manifest.State == Presence.Absent) (manifest.State, manifest.Hidden) = (Presence.Open, null);
        foreach (var blob in manifest.Blobs.Select(blob => Book.Blobs[blob]).Where(blob => victim.EndsWith(blob.Digest.ToString(), StringComparison.Ordinal)))
            (blob.State, blob.Hidden) = (Presence.Open, null);
        foreach (var child in manifest.Children.Select(child => Book.Manifests[child]))
        {
            Book.PromiseBlobsOf(child, begun);
            (child.State, child.Hidden) = (Presence.Open, null);
            foreach (var tag in Book.Tags.Values.Where(tag => tag.Allowed.Contains(child.Digest))) (_, tag.Gone) = (tag.Allowed.Add(null), null);
        }

        if (took && !removed) Book.IsLive(manifest);
        return (took, removed);
    }

    private async Task RestoreAsync()
    {
        switch (_random.Next(3))
        {
            case 0 when Pick([.. Book.Manifests.Values.Where(manifest => manifest.State != Presence.Present)]) is { } manifest:
                await RestoreManifestAsync(manifest);
                break;
            case 1 when Pick([.. Book.Blobs.Values.Where(blob => blob.State != Presence.Present)]) is { } blob:
                await RestoreBlobAsync(blob);
                break;
            case 2 when Book.Tags.Count > 0:
                var (name, tag) = Book.Tags.ElementAt(_random.Next(Book.Tags.Count));
                await RestoreTagAsync(name, tag);
                break;
        }
    }

    private async Task RestoreManifestAsync(ManifestEntry manifest)
    {
        var begun = Book.Now;
        var restored = await run.Hand<ContentRestore>().RestoreManifestAsync(RepositoryName.Parse(Repository), manifest.Digest, Actor.Console, default);
        var span = new Span(begun, Book.Now);
        run.Log($"w{number} restore {manifest.Digest} -> {(restored is null ? "nothing" : $"{restored.Manifests.Count} manifests, {restored.Blobs.Count} blobs, tags {string.Join(' ', restored.Tags)}")}");
        if (restored is null)
        {
            if (Book.IsRestorable(manifest.Hidden, span.Ended)) throw Fault($"{manifest.Digest} was to be restored within its grace, and is gone");
            return;
        }

        if (Book.IsPastRestoring(manifest.Hidden, span.Begun)) throw Fault($"{manifest.Digest} was restored after its grace");
        IsRestored(restored, span);
        Book.IsLive(manifest);
        foreach (var (name, tag) in Book.Tags)
        {
            var isBack = restored.Tags.Contains(TagName.Parse(name));
            if (!isBack && tag.Gone is { WithManifest: true } gone && gone.From == manifest.Digest && tag.Allowed.SetEquals([null]) && gone.When == manifest.Hidden)
                throw Fault($"the tag {name} went with {manifest.Digest} and did not come back with it");
        }

        foreach (var name in restored.Tags) Book.Tag(name.ToString()).Set(manifest.Digest);
    }

    private async Task RestoreBlobAsync(BlobEntry blob)
    {
        var begun = Book.Now;
        var restored = await run.Hand<ContentRestore>().RestoreBlobAsync(RepositoryName.Parse(Repository), blob.Digest, Actor.Console, default);
        var span = new Span(begun, Book.Now);
        run.Log($"w{number} restore {blob.Digest} -> {(restored is null ? "nothing" : "back")}");
        if (restored is null && Book.IsRestorable(blob.Hidden, span.Ended)) throw Fault($"{blob.Digest} was to be restored within its grace, and is gone");
        if (restored is null) return;
        if (Book.IsPastRestoring(blob.Hidden, span.Begun)) throw Fault($"{blob.Digest} was restored after its grace");
        (blob.State, blob.Hidden) = (Presence.Present, null);
        blob.Promise(begun + Book.Grace);
    }

    private async Task RestoreTagAsync(string name, TagEntry tag)
    {
        var begun = Book.Now;
        Restored? restored;
        try
        {
            restored = await run.Hand<ContentRestore>().RestoreTagAsync(RepositoryName.Parse(Repository), TagName.Parse(name), Actor.Console, default);
        }
        catch (OciException refused) when (refused.Status == 409)
        {
            if (!tag.Allowed.Any(place => place is not null)) throw Fault($"the tag {name} is said to exist");
            return;
        }

        var span = new Span(begun, Book.Now);
        run.Log($"w{number} restore tag {name} -> {(restored is null ? "nothing" : "back")}");
        if (restored is null)
        {
            if (tag.Gone is { } gone && Book.IsRestorable(gone.When, span.Ended) && Book.Manifests[gone.From].State == Presence.Present)
                throw Fault($"the tag {name} was to be restored within its grace");
            return;
        }

        if (!tag.Allowed.Contains(null)) throw Fault($"the tag {name} was restored beside itself");
        var places = tag.Gone is { } from ? [from.From] : tag.Places.ToArray();
        IsRestored(restored, span);
        tag.Allowed.Clear();
        foreach (var place in places) tag.Allowed.Add(place);
        tag.Gone = null;
    }

    private void IsRestored(Restored restored, Span span)
    {
        foreach (var digest in restored.Blobs)
        {
            (Book.Blobs[digest].State, Book.Blobs[digest].Hidden) = (Presence.Present, null);
            Book.Blobs[digest].Promise(span.Begun + Book.Grace);
        }

        foreach (var digest in restored.Manifests) Book.IsLive(Book.Manifests[digest]);
    }

    private async Task CancelAsync()
    {
        var post = await SendAsync(HttpMethod.Post, $"/v2/{Repository}/blobs/uploads/");
        if (post is not { Status: 202 }) return;
        var location = post.Headers.Location!.ToString();
        var content = new byte[_random.Next(1, 300_000)];
        await SendAsync(HttpMethod.Patch, location, content);
        var cancel = await SendAsync(HttpMethod.Delete, location);
        if (cancel is { IsFault: false, Status: not (204 or 404) }) throw Fault($"a cancel was answered {cancel.Status}");
        if (cancel is { Status: 204 } && await SendAsync(HttpMethod.Get, location) is { Status: 204 }) throw Fault($"{location} was cancelled and is there");
    }
}
