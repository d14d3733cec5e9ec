using System.Text.Json;
using System.Text.Json.Serialization;
using Gantry.Engine.Content;
using Gantry.Oci;

namespace Gantry.Engine.Snapshots;

/// <summary>
/// What a bundle uses for as long as its folder is there, whatever becomes of the process that made it: <c>pins/ID</c> in the store names the folder and the digests, and
/// <c>lower/.pin</c> in the folder the pin. Both must be there: a folder that is gone, or another one in its place, keeps nothing. So a pin ends with its folder,
/// and nobody has to say so.
/// </summary>
internal static class Pin
{
    private const string TemporaryPrefix = "~";

    /// <summary>To be called while a lease names the digests, and before they are used.</summary>
    /// <param name="folder">Absolute; is there.</param>
    public static async Task PlaceAsync(StoreLayout layout, string folder, IEnumerable<Digest> digests, CancellationToken ct)
    {
        var id = Guid.NewGuid().ToString("N");
        Directory.CreateDirectory(Path.GetDirectoryName(MarkerOf(folder))!);
        await File.WriteAllTextAsync(MarkerOf(folder), id, ct);

        using var naming = await FileLock.TakeSharedAsync(layout.LockFile, ct);
        var path = Path.Combine(layout.Pins, id);
        var temporary = Path.Combine(layout.Pins, TemporaryPrefix + id);
        using (var file = StoreFile.OpenOrCreate(temporary))
        {
            var pin = new PinFile(folder, [.. digests.Select(digest => digest.ToString())]);
            RandomAccess.Write(file, JsonSerializer.SerializeToUtf8Bytes(pin, PinJson.Default.PinFile), 0);
            StoreFile.Sync(file, temporary);
        }

        StoreFile.Rename(temporary, path);
    }

    /// <summary>What is pinned; pins whose folder is gone are removed. To be asked with the store's lock taken exclusively.</summary>
    public static HashSet<Digest> Named(StoreLayout layout)
    {
        var named = new HashSet<Digest>();
        foreach (var path in Directory.EnumerateFiles(layout.Pins).ToList())
        {
            var id = Path.GetFileName(path);
            if (!id.StartsWith(TemporaryPrefix, StringComparison.Ordinal) && Read(path) is var pin && IsOf(pin.Folder, id)) named.UnionWith(pin.Digests.Select(Digest.Parse));
            else File.Delete(path);
        }

        return named;
    }

    private static PinFile Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), PinJson.Default.PinFile) ?? throw new JsonException("null");
        }
        catch (JsonException fault)
        {
            throw new EngineException(EngineFault.Local, $"{path} cannot be read: the store is damaged", fault);
        }
    }

    private static bool IsOf(string folder, string id) => File.Exists(MarkerOf(folder)) && File.ReadAllText(MarkerOf(folder)) == id;

    private static string MarkerOf(string folder) => Path.Combine(folder, "lower", ".pin");
}

/// <param name="Folder">Of the bundle.</param>
internal sealed record PinFile(string Folder, string[] Digests);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PinFile))]
internal sealed partial class PinJson : JsonSerializerContext;
