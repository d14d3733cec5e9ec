using System.Diagnostics;
using Gantry.Oci;

namespace Gantry.Server.Tests.Chaos;

internal enum Presence
{
    Absent,
    Present,

    /// <summary>An answer was lost: either will do, and the next look settles which.</summary>
    Open,
}

/// <summary>A request as its sender saw it; the server's part lies somewhere between.</summary>
internal readonly record struct Span(TimeSpan Begun, TimeSpan Ended);

internal sealed class BlobEntry(byte[] content)
{
    public byte[] Content => content;

    public Digest Digest { get; } = Digest.Of(content);

    public Presence State { get; set; }

    /// <summary>Until then no review may take it, whether anything holds it or not.</summary>
    public TimeSpan PromisedUntil { get; private set; }

    /// <summary>The DELETE that hid it; null where none did, or its answer was lost.</summary>
    public Span? Hidden { get; set; }

    public void Promise(TimeSpan until) => PromisedUntil = until > PromisedUntil ? until : PromisedUntil;
}

internal sealed class ManifestEntry(byte[] payload, string mediaType, Digest[] blobs, Digest[] children, Digest? subject)
{
    public byte[] Payload => payload;

    public string MediaType => mediaType;

    public Digest Digest { get; } = Digest.Of(payload);

    public Digest[] Blobs => blobs;

    public Digest[] Children => children;

    public Digest? Subject => subject;

    public Presence State { get; set; }

    public Span? Hidden { get; set; }
}

internal sealed class TagEntry
{
    /// <summary>Where it may point; null is nowhere. One of them once its last answer arrived.</summary>
    public HashSet<Digest?> Allowed { get; } = [null];

    /// <summary>Every place it was ever sent to.</summary>
    public HashSet<Digest> Places { get; } = [];

    /// <summary>The removal that it is gone by, and from where; null where that is not certain.</summary>
    public (Span When, Digest From, bool WithManifest)? Gone { get; set; }

    public void Set(Digest? only)
    {
        Allowed.Clear();
        Allowed.Add(only);
        Gone = null;
    }
}

/// <summary>
/// What one repository must hold, may hold and must not hold, by what the server answered and by the rules of
/// <c>src/Gantry.Core/README.md</c>, "Garbage collection". Written by its one worker.
/// </summary>
internal sealed class Book(string repository, TimeSpan grace)
{
    public string Repository => repository;

    public TimeSpan Grace => grace;

    public Dictionary<Digest, BlobEntry> Blobs { get; } = [];

    public Dictionary<Digest, ManifestEntry> Manifests { get; } = [];

    public SortedDictionary<string, TagEntry> Tags { get; } = new(StringComparer.Ordinal);

    /// <summary>The clock of all spans; only differences count.</summary>
    public static TimeSpan Now => Stopwatch.GetElapsedTime(0);

    public BlobEntry Blob(byte[] content)
    {
        var entry = new BlobEntry(content);
        return Blobs.TryGetValue(entry.Digest, out var known) ? known : Blobs[entry.Digest] = entry;
    }

    public TagEntry Tag(string name) => Tags.TryGetValue(name, out var known) ? known : Tags[name] = new TagEntry();

    /// <summary>A live manifest needs it: no review, no DELETE may take it.</summary>
    public bool IsHeld(Digest blob) => Manifests.Values.Any(manifest => manifest.State == Presence.Present && manifest.Blobs.Contains(blob));

    public bool MayBeHeld(Digest blob) => Manifests.Values.Any(manifest => manifest.State != Presence.Absent && manifest.Blobs.Contains(blob));

    /// <summary>At that time it must have been there.</summary>
    public bool MustBeThere(BlobEntry blob, TimeSpan at) =>
        IsHeld(blob.Digest) || (blob.State == Presence.Present && at < blob.PromisedUntil);

    public bool IsHeldByIndex(Digest manifest) =>
        Manifests.Values.Any(index => index.State == Presence.Present && index.Children.Contains(manifest));

    public bool MayBeHeldByIndex(Digest manifest) =>
        Manifests.Values.Any(index => index.State != Presence.Absent && index.Children.Contains(manifest));

    /// <summary>No rule takes a manifest that nobody deleted.</summary>
    public bool MustBeThere(ManifestEntry manifest) => manifest.State == Presence.Present || IsHeldByIndex(manifest.Digest);

    /// <summary>What was there came back, or was found: with all that it needs.</summary>
    public void IsLive(ManifestEntry manifest)
    {
        (manifest.State, manifest.Hidden) = (Presence.Present, null);
        foreach (var blob in manifest.Blobs) (Blobs[blob].State, Blobs[blob].Hidden) = (Presence.Present, null);
        foreach (var child in manifest.Children) IsLive(Manifests[child]);
    }

    /// <summary>
    /// A manifest was hidden, or may have been: its row, and with it its hold on blobs, goes a grace later at the earliest.
    /// </summary>
    public void PromiseBlobsOf(ManifestEntry manifest, TimeSpan hiddenFrom)
    {
        foreach (var digest in manifest.Blobs) Blobs[digest].Promise(hiddenFrom + grace);
    }

    /// <summary>Was hidden so lately that a restore must find it; null where that is not known.</summary>
    public bool IsRestorable(Span? hidden, TimeSpan at) => hidden is { } span && at < span.Begun + grace;

    /// <summary>Was hidden so long ago that a restore must not find it.</summary>
    public bool IsPastRestoring(Span? hidden, TimeSpan at) => hidden is { } span && at > span.Ended + grace;
}
