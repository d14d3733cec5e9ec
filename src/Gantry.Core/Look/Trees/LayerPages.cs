using System.Runtime.CompilerServices;
using Gantry.Core.Look.Listings;
using Gantry.Oci;
using Npgsql;

namespace Gantry.Core.Look.Trees;

/// <summary>
/// The listings of some layers for one question: pages are read as they are wanted, those of several layers in one statement, and kept while there is room. Not for several
/// threads at a time. Memory: <see cref="Capacity"/>, and a page for each layer that is being walked through.
/// </summary>
internal sealed class LayerPages(NpgsqlDataSource database, IReadOnlyList<Digest> layers)
{
    /// <summary>Bytes.</summary>
    private const int Capacity = 32 << 20;

    /// <summary>
    /// Bytes of pages and paths that one question may go through: some seconds. Whoever makes layers can make them so deep and so many that a page of their names would
    /// take hours.
    /// </summary>
    private const long MaxWork = 4L << 30;

    private const string Load =
        """
        SELECT w.n, p.first, p.page, (SELECT q.first FROM layer_pages q WHERE q.digest = p.digest AND q.first > p.first ORDER BY q.first LIMIT 1)
        FROM unnest($1, $2) WITH ORDINALITY w (digest, key, n) CROSS JOIN LATERAL (
            SELECT digest, first, page FROM layer_pages WHERE digest = w.digest COLLATE "C" AND first <= w.key ORDER BY first DESC LIMIT 1) p
        """;

    private readonly List<Loaded>[] _loaded = [.. layers.Select(_ => new List<Loaded>())];
    private readonly Queue<(int Layer, Loaded Page)> _byAge = new();
    private int _weight;
    private long _work;

    /// <summary>How many layers there are.</summary>
    public int Count => layers.Count;

    /// <summary>How many pages were read from the database.</summary>
    public int Reads { get; private set; }

    /// <summary>Says that so many bytes were looked at.</summary>
    /// <exception cref="OciException">UNSUPPORTED (422): that is too much for one question.</exception>
    public void Spend(long bytes)
    {
        if ((_work += bytes) <= MaxWork) return;
        throw new OciException(OciErrorCode.Unsupported, "the image is so deep, and of so many layers, that this takes too long to look up", status: 422);
    }

    /// <summary>Reads the pages that have a key, of several layers at once, so that finding them waits no more.</summary>
    public async Task PrepareAsync(IEnumerable<int> wanted, byte[] key, CancellationToken cancellationToken)
    {
        var sought = EntryKey.Sought(key);
        List<int> missing = [.. wanted.Where(layer => Known(layer, sought) is null)];
        if (missing.Count > 0) await LoadAsync(missing, sought, cancellationToken);
    }

    public async ValueTask<LayerEntry?> FindAsync(int layer, byte[] key, CancellationToken cancellationToken)
    {
        var page = (await PageAsync(layer, key, cancellationToken)).Page;
        var index = page.IndexOf(key);
        return index < page.Entries.Length && page.Entries[index].Key.AsSpan().SequenceEqual(key) ? page.Entries[index] : null;
    }

    /// <summary>The entries whose keys are not below, in order.</summary>
    public async IAsyncEnumerable<LayerEntry> FromAsync(int layer, byte[] key, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var loaded = await PageAsync(layer, key, cancellationToken);
        for (var index = loaded.Page.IndexOf(key); ; index = 0)
        {
            for (; index < loaded.Page.Entries.Length; index++) yield return loaded.Page.Entries[index];
            if (loaded.Until is not { } next) yield break;
            loaded = await AtAsync(layer, next, cancellationToken);
        }
    }

    private async ValueTask<Loaded> PageAsync(int layer, byte[] key, CancellationToken cancellationToken)
    {
        var loaded = await AtAsync(layer, EntryKey.Sought(key), cancellationToken);
        if (!IsBehind(loaded, key)) return loaded;

        // Pages whose first keys are the same as far as they are stored, thousands in a deep directory: their numbers go up with their keys.
        var (low, high) = (0, EntryKey.NumberOf(loaded.Page.First));
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            var probe = await AtAsync(layer, EntryKey.Numbered(key, middle), cancellationToken);
            if (IsBehind(probe, key)) high = EntryKey.NumberOf(probe.Page.First);
            else (loaded, low) = (probe, middle + 1);
        }

        return loaded;
    }

    /// <summary>It starts behind the key.</summary>
    private static bool IsBehind(Loaded loaded, byte[] key) => loaded.Page.First.Length > 0 && loaded.Page.Entries[0].Key.AsSpan().SequenceCompareTo(key) > 0;

    private async ValueTask<Loaded> AtAsync(int layer, byte[] sought, CancellationToken cancellationToken) =>
        Known(layer, sought) ?? (await LoadAsync([layer], sought, cancellationToken))[0];

    private Loaded? Known(int layer, byte[] sought) => _loaded[layer].Find(page =>
        page.Page.First.AsSpan().SequenceCompareTo(sought) <= 0 && (page.Until is null || sought.AsSpan().SequenceCompareTo(page.Until) < 0));

    private async Task<List<Loaded>> LoadAsync(List<int> wanted, byte[] sought, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Load);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. wanted.Select(layer => layers[layer].ToString())] });
        command.Parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = [.. wanted.Select(_ => sought)] });
        var found = new List<Loaded>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var layer = wanted[(int)reader.GetInt64(0) - 1];
            var page = LayerPage.Read(reader.GetFieldValue<byte[]>(1), reader.GetFieldValue<byte[]>(2));
            found.Add(Keep(layer, new Loaded(page, await reader.IsDBNullAsync(3, cancellationToken) ? null : reader.GetFieldValue<byte[]>(3))));
        }

        return found.Count == wanted.Count ? found : throw new IOException("a listing is made anew just now");
    }

    private Loaded Keep(int layer, Loaded page)
    {
        Reads++;
        Spend(page.Page.Weight);
        _loaded[layer].Add(page);
        _byAge.Enqueue((layer, page));
        _weight += page.Page.Weight;
        while (_weight > Capacity && _byAge.Count > 1)
        {
            var (oldest, gone) = _byAge.Dequeue();
            _loaded[oldest].Remove(gone);
            _weight -= gone.Page.Weight;
        }

        return page;
    }

    /// <param name="Page">The page.</param>
    /// <param name="Until">The next page's key as it is stored; null for the last page.</param>
    private sealed record Loaded(LayerPage Page, byte[]? Until);
}
