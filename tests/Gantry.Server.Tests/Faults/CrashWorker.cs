using System.Net;
using System.Text;
using Gantry.Oci;
using Gantry.TestKit;

namespace Gantry.Server.Tests.Faults;

/// <summary>
/// One client among several: pushes blobs by chunks, pushes images under its own tags, deletes and cancels, and keeps book
/// of what the server answered. A request without an answer leaves the thing it was about open: either state will do, and
/// the next look settles which.
/// </summary>
internal sealed class CrashWorker(int number, int seed)
{
    private const string Images = "crash/images";
    private readonly Random _random = new(seed);
    private readonly string _blobs = $"crash/worker-{number}";
    private readonly Dictionary<Digest, State> _blobStates = [];
    private readonly Dictionary<Digest, (byte[] Payload, State State)> _manifests = [];
    private readonly List<Digest> _layers = [];
    private readonly Dictionary<string, HashSet<string?>> _tags = new(StringComparer.Ordinal);
    private ChunkedPush? _underWay;

    private enum State
    {
        Present,
        Absent,
        Open,
    }

    /// <summary>Requests that ended as they should.</summary>
    public int Done { get; private set; }

    public int Resumed { get; private set; }

    /// <summary>Works until told to end or left without a server.</summary>
    public async Task WorkAsync(HttpClient client, CancellationToken end)
    {
        try
        {
            while (!end.IsCancellationRequested)
            {
                await StepAsync(client);
                Done++;
            }
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException { StatusCode: null or HttpStatusCode.ServiceUnavailable }
            || (fault is InvalidOperationException && fault.Message.Contains("StatusCode: 503", StringComparison.Ordinal)))
        {
            // Killed under us, or without its database. Any other answer would be a fault.
        }
    }

    /// <summary>Every acknowledged thing is as it was acknowledged; an upload that was under way is brought to its end.</summary>
    public async Task VerifyAsync(HttpClient client)
    {
        if (_underWay is { } push)
        {
            if (push.Location is not null) Resumed++;
            await push.GoOnAsync(client);
            _blobStates[push.Digest] = State.Present;
            _underWay = null;
        }

        foreach (var (digest, state) in _blobStates.ToList()) _blobStates[digest] = await LookAsync(client, _blobs, digest, state);
        foreach (var layer in _layers) await LookAsync(client, Images, layer, State.Present);
        foreach (var (digest, manifest) in _manifests.ToList())
        {
            var found = await client.FindTagAsync(Images, digest.ToString());
            if (found is not null) Assert.Equal(manifest.Payload, await client.GetByteArrayAsync($"/v2/{Images}/manifests/{digest}"));
            _manifests[digest] = manifest with { State = Settle(digest, found is not null, manifest.State) };
        }

        foreach (var (tag, allowed) in _tags)
        {
            var found = await client.FindTagAsync(Images, tag);
            Assert.True(allowed.Contains(found), $"tag {tag} is {found ?? "gone"}, not {string.Join(" or ", allowed)}");
            allowed.Clear();
            allowed.Add(found);
        }
    }

    /// <summary>What comes back hashes to the digest it was acknowledged under, so it is that, byte for byte.</summary>
    private async Task<State> LookAsync(HttpClient client, string repository, Digest digest, State state)
    {
        var found = await client.FindBlobAsync(repository, digest);
        if (found is not null) Assert.Equal(digest, Digest.Of(found));
        return Settle(digest, found is not null, state);
    }

    private State Settle(Digest digest, bool isThere, State state)
    {
        Assert.False(state == State.Present && !isThere, $"{digest} was acknowledged and is gone (worker {number})");
        Assert.False(state == State.Absent && isThere, $"{digest} was deleted and is back (worker {number})");
        return isThere ? State.Present : State.Absent;
    }

    private Task StepAsync(HttpClient client) => _random.Next(10) switch
    {
        < 5 => PushBlobAsync(client),
        < 8 => PushImageAsync(client),
        8 => DeleteAsync(client),
        _ => CancelAsync(client),
    };

    private async Task PushBlobAsync(HttpClient client)
    {
        // Mostly small, some of several buffers; one in four is a content that all workers push.
        var content = new byte[_random.Next(8) == 0 ? _random.Next(200_000, 1_500_000) : _random.Next(100, 60_000)];
        _random.NextBytes(content);
        if (_random.Next(4) == 0) content = new byte[100_000 + _random.Next(3)];

        var cuts = Enumerable.Range(0, _random.Next(1, 4)).Select(_ => _random.Next(2, content.Length)).Distinct().Order().ToArray();
        _underWay = new ChunkedPush(_blobs, content, cuts);
        await _underWay.RunAsync(client);
        _blobStates[_underWay.Digest] = State.Present;
        _underWay = null;
    }

    private async Task PushImageAsync(HttpClient client)
    {
        var layer = new byte[_random.Next(100, 20_000)];
        _random.NextBytes(layer);
        var json = RegistryClient.ImageJson([layer]);
        var (payload, digest, tag) = (Encoding.UTF8.GetBytes(json), Digest.Of(Encoding.UTF8.GetBytes(json)), $"w{number}-{_random.Next(3)}");
        await client.PushBlobAsync(Images, RegistryClient.EmptyConfig);
        _layers.Add(await client.PushBlobAsync(Images, layer));

        _manifests[digest] = (payload, State.Open);
        Allowed(tag).Add(digest.ToString());
        await client.PushManifestAsync(Images, tag, json);
        _manifests[digest] = (payload, State.Present);
        Only(tag, digest.ToString());
    }

    private async Task DeleteAsync(HttpClient client)
    {
        if (_random.Next(2) == 0 && _tags.Keys.Order(StringComparer.Ordinal).FirstOrDefault() is { } tag)
        {
            Allowed(tag).Add(null);
            await DeleteAsync(client, $"/v2/{Images}/manifests/{tag}");
            Only(tag, null);
            return;
        }

        var present = _blobStates.Where(entry => entry.Value == State.Present).Select(entry => entry.Key).ToList();
        if (present.Count == 0) return;
        var digest = present[_random.Next(present.Count)];
        _blobStates[digest] = State.Open;
        await DeleteAsync(client, $"/v2/{_blobs}/blobs/{digest}");
        _blobStates[digest] = State.Absent;
    }

    private async Task CancelAsync(HttpClient client)
    {
        var location = await client.StartUploadAsync(_blobs);
        using var chunk = await client.PatchAsync(location, RegistryClient.Bytes(new byte[_random.Next(1, 200_000)]));
        await DeleteAsync(client, location);
    }

    private static async Task DeleteAsync(HttpClient client, string path)
    {
        using var answer = await client.DeleteAsync(path);
        // 404: an answer lost earlier had said it before.
        if ((int)answer.StatusCode is not (202 or 204 or 404)) throw new HttpRequestException($"DELETE {path}: {answer.StatusCode}");
    }

    private HashSet<string?> Allowed(string tag)
    {
        if (!_tags.TryGetValue(tag, out var allowed)) _tags[tag] = allowed = [null];
        return allowed;
    }

    private void Only(string tag, string? digest)
    {
        var allowed = Allowed(tag);
        allowed.Clear();
        allowed.Add(digest);
    }
}
