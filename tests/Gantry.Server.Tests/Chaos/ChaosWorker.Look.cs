using Gantry.Oci;

namespace Gantry.Server.Tests.Chaos;

internal sealed partial class ChaosWorker
{
    /// <summary>Looks at everything once: what is open is settled by it.</summary>
    public async Task LookAtAllAsync()
    {
        foreach (var manifest in Book.Manifests.Values) await LookAtManifestAsync(manifest);
        foreach (var name in Book.Tags.Keys) await LookAtTagAsync(name);
        foreach (var blob in Book.Blobs.Values) await LookAtBlobAsync(blob, head: false);
        var left = Book.Blobs.Values.Count(blob => blob.State == Presence.Open) + Book.Manifests.Values.Count(manifest => manifest.State == Presence.Open);
        if (left > 0) throw Fault($"{left} things are still open");
    }

    private async Task LookAsync()
    {
        switch (_random.Next(4))
        {
            case 0 when Pick(Book.Manifests.Values) is { } manifest:
                await LookAtManifestAsync(manifest);
                break;
            case 1 when Book.Tags.Count > 0:
                await LookAtTagAsync(Book.Tags.Keys.ElementAt(_random.Next(Book.Tags.Count)));
                break;
            case > 1 when Pick(Book.Blobs.Values) is { } blob:
                await LookAtBlobAsync(blob, head: _random.Next(4) == 0);
                break;
        }
    }

    /// <summary>Whether it is there; false also where that could not be learned.</summary>
    private async Task<bool> LookAtBlobAsync(BlobEntry blob, bool head)
    {
        var answer = await SendAsync(head ? HttpMethod.Head : HttpMethod.Get, $"/v2/{Repository}/blobs/{blob.Digest}");
        if (answer is null || answer.IsFault) return false;
        if (answer.Status == 404)
        {
            if (Book.MustBeThere(blob, answer.Span.Ended))
                throw Fault($"{blob.Digest} is gone: held {Book.IsHeld(blob.Digest)}, promised until {blob.PromisedUntil}, now {answer.Span.Ended}");
            blob.State = Presence.Absent;
            return false;
        }

        if (answer.Status != 200) throw Fault($"{blob.Digest} was answered {answer.Status}");
        if (blob.State == Presence.Absent) throw Fault($"{blob.Digest} is gone and is served");
        if (!head && !answer.Body.AsSpan().SequenceEqual(blob.Content)) throw Fault($"{blob.Digest} has other bytes");
        (blob.State, blob.Hidden) = (Presence.Present, null);
        // Renewed at most a quarter of the grace ago.
        if (head) blob.Promise(answer.Span.Begun + (Book.Grace * 0.75));
        return true;
    }

    private async Task LookAtManifestAsync(ManifestEntry manifest)
    {
        var answer = await SendAsync(HttpMethod.Get, $"/v2/{Repository}/manifests/{manifest.Digest}");
        if (answer is null || answer.IsFault) return;
        if (answer.Status == 404)
        {
            if (Book.MustBeThere(manifest)) throw Fault($"{manifest.Digest} is gone");
            manifest.State = Presence.Absent;
            return;
        }

        if (answer.Status != 200) throw Fault($"{manifest.Digest} was answered {answer.Status}");
        if (manifest.State == Presence.Absent) throw Fault($"{manifest.Digest} is gone and is served");
        if (!answer.Body.AsSpan().SequenceEqual(manifest.Payload)) throw Fault($"{manifest.Digest} has other bytes");
        foreach (var blob in manifest.Blobs.Where(blob => Book.Blobs[blob].State == Presence.Absent))
            throw Fault($"{manifest.Digest} is served and needs {blob}, which is gone");
        Book.IsLive(manifest);
    }

    private async Task LookAtTagAsync(string name)
    {
        var tag = Book.Tag(name);
        var answer = await SendAsync(HttpMethod.Get, $"/v2/{Repository}/manifests/{name}");
        if (answer is null || answer.IsFault) return;
        Digest? found = answer.Status == 404 ? null : Digest.Parse(answer.Headers.GetValues("Docker-Content-Digest").Single());
        if (!tag.Allowed.Contains(found))
            throw Fault($"the tag {name} is at {found?.ToString() ?? "nothing"}, not at {string.Join(" or ", tag.Allowed.Select(place => place?.ToString() ?? "nothing"))}");
        tag.Allowed.RemoveWhere(place => place != found);
        if (found is not null) tag.Gone = null;
    }
}
