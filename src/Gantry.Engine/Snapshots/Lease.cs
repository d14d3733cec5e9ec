using System.Text;
using Gantry.Engine.Content;
using Gantry.Oci;
using Microsoft.Win32.SafeHandles;

namespace Gantry.Engine.Snapshots;

/// <summary>
/// What somebody uses for as long as he lives: blobs, layers and chains by their digests. Nothing that a living lease names is removed. It ends when it is disposed and
/// with its process.
/// </summary>
/// <remarks>
/// A digest is named first and looked for afterwards. Naming takes the store's lock shared, removing takes it exclusively: so what was found after it was named
/// stays, and what was removed was removed before anybody had looked.
/// </remarks>
public sealed class Lease : IDisposable
{
    private readonly StoreLayout _layout;
    private readonly FileLock _held;
    private readonly SafeFileHandle _file;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly HashSet<Digest> _named = [];
    private long _length;

    private Lease(StoreLayout layout, FileLock held, SafeFileHandle file) => (_layout, _held, _file) = (layout, held, file);

    /// <summary>Names more of what is in use.</summary>
    public async Task AddAsync(IEnumerable<Digest> digests, CancellationToken ct)
    {
        await _gate.WaitAsync(ct);
        try
        {
            var fresh = digests.Where(_named.Add).Select(digest => $"{digest}\n").ToArray();
            if (fresh.Length == 0) return;
            using (await FileLock.TakeSharedAsync(_layout.LockFile, ct))
            {
                var lines = Encoding.ASCII.GetBytes(string.Concat(fresh));
                RandomAccess.Write(_file, lines, _length);
                _length += lines.Length;
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        _held.Remove();
        _gate.Dispose();
    }

    internal static async Task<Lease> StartAsync(StoreLayout layout, CancellationToken ct)
    {
        using var naming = await FileLock.TakeSharedAsync(layout.LockFile, ct);
        var path = Path.Combine(layout.Leases, Guid.NewGuid().ToString("N"));
        var held = FileLock.TryTake(path) ?? throw new EngineException(EngineFault.Local, $"{path} is taken");
        return new Lease(layout, held, StoreFile.OpenOrCreate(path));
    }

    /// <summary>What living leases name; those of the dead are removed. To be asked with the store's lock taken exclusively.</summary>
    internal static HashSet<Digest> Named(StoreLayout layout)
    {
        var named = new HashSet<Digest>();
        foreach (var path in Directory.EnumerateFiles(layout.Leases))
        {
            if (FileLock.TryTake(path) is { } dead) dead.Remove();
            else named.UnionWith(Read(path));
        }

        return named;
    }

    /// <summary>Not through <see cref="File"/>, which wants a lock of its own. One that ended just now names nothing.</summary>
    private static IEnumerable<Digest> Read(string path)
    {
        using var file = StoreFile.OpenForReading(path);
        if (file is null) return [];
        var text = new byte[RandomAccess.GetLength(file)];
        var count = RandomAccess.Read(file, text, 0);
        return Encoding.ASCII.GetString(text, 0, count).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Digest.Parse);
    }
}
